package kb

import (
	"testing"

	"github.com/deskhand/deskhand/core/knowledge"
)

// officeArticles are a small desk's, enough for a question to go wrong in.
var officeArticles = func() []knowledge.Article {
	all := []knowledge.Article{
		{Title: "Printer does not print", Symptom: "I send a document to the printer on my floor and nothing comes out.", Tags: []string{"printing"},
			Answer: "1. Open **Settings** and choose *Printers & scanners*.\n2. Press **Open queue** and cancel what hangs there.\n3. Turn the printer off, wait ten seconds, turn it on.\n\nStill nothing? Add the printer again from [the list](https://print.example.com)."},
		{Title: "Add a printer", Symptom: "The printer is not in my list.", Answer: "1. Go to https://print.example.com\n2. Choose your floor and press **Add**.", Tags: []string{"printing"}},
		{Title: "Scan to mail arrives empty", Symptom: "The scan that the copier sends me has white pages only.", Answer: "Lay the sheets face up and press **Clear all** before you begin."},
		{Title: "Keep the VPN connected", Symptom: "The VPN drops every few minutes and I must sign in again.", Environment: "Windows 11, home office", Cause: "The network card saves power.", KnownError: true,
			Answer: "1. Open **Device manager**, then *Network adapters*.\n2. Choose the Wi-Fi card, *Power management*.\n3. Clear the tick at *Allow the computer to turn off this device*."},
		{Title: "Set up the VPN on a new computer", Symptom: "I have a new laptop and can't reach the file server from home.", Answer: "1. Open **Software Center**.\n2. Install *Secure Access*.\n3. Start it and enter `vpn.example.com`."},
		{Title: "Change your password", Symptom: "My password has expired or I want another one.", Answer: "Go to https://account.example.com, press **Change password** and choose one of at least 14 characters."},
		{Title: "Unlock your account", Symptom: "It says that my account is locked after too many wrong passwords.", Answer: "Wait 15 minutes, or open https://account.example.com and press **Unlock**. You need your second factor."},
		{Title: "New phone: move the authenticator", Symptom: "I have a new phone and the sign-in codes are on the old one.", Answer: "1. On the old phone open the authenticator, *Export*.\n2. Scan the picture with the new phone.\n\nIs the old one gone, the desk gives you a temporary pass."},
		{Title: "Connect to the office Wi-Fi", Symptom: "My laptop does not find or does not join the wireless network.", Answer: "Choose **corp-net**, sign in with your mail address. Guests use **guest-net** and the code at the reception."},
		{Title: "Wi-Fi is slow in meeting rooms", Symptom: "Calls stutter in the meeting rooms on floor 3.", KnownError: true, Answer: "Use the network cable at the table until the access points are replaced."},
		{Title: "Outlook shows old mail only", Symptom: "New messages are on my phone but not in Outlook.", Answer: "Click **Send/Receive**, switch *Work offline* off. If the status bar says *Disconnected*, restart Outlook."},
		{Title: "Mailbox is full", Symptom: "I can't send because my mailbox is over its limit.", Answer: "Empty *Deleted items*, sort by size, move big attachments to the share."},
		{Title: "Out of office reply", Symptom: "I go on holiday and want an automatic answer.", Answer: "In Outlook choose **File**, **Automatic replies** and set the dates."},
		{Title: "Report a suspicious message", Symptom: "I got a mail that wants my bank details.", Answer: "Press **Report phishing**. Don't open its links. If you did, change your password and tell us."},
		{Title: "External monitor stays black", Symptom: "The second screen at the dock has no picture.", Answer: "1. Unplug the dock for ten seconds.\n2. Press **Windows+P** and choose *Extend*.\n3. Try the other cable."},
		{Title: "Laptop is slow", Symptom: "Everything takes ages, the fan is loud.", Answer: "Restart it once a week. Close what you don't use; look at *Task manager* for what takes memory."},
		{Title: "Laptop does not charge", Symptom: "The battery stays at the same percent although the charger is plugged in.", Answer: "Use the left USB-C port and the 65 W charger. Try a colleague's charger."},
		{Title: "Get Adobe Acrobat", Symptom: "I need to edit a PDF.", Answer: "Order it in **Software Center**; your lead approves. It is installed within an hour."},
		{Title: "Shared folder: access denied", Symptom: "A colleague opens the folder on drive G and I can't.", Answer: "Ask the owner of the folder; his name is in *Properties*. The desk adds you once he agrees."},
		{Title: "Teams: nobody hears me", Symptom: "In calls my microphone does not work.", Answer: "Choose the right headset under **Settings**, *Devices*, and make a test call."},
		{Title: "Error 0x80070035 on the file server", Symptom: "The network path was not found, 0x80070035.", Answer: "Restart the service *TCP/IP NetBIOS Helper*."},
		{Title: "Excel file is locked by another user", Symptom: "It says locked for editing by myself.", Answer: "Close Excel everywhere, wait five minutes; the lock goes."},
		{Title: "Lost badge", Symptom: "I can't find my access card.", Answer: "Tell reception at once; they block it and give you a day card."},
		{Title: "Payroll export fails", Symptom: "The payroll export stops with a red cross.", Audience: []string{"hr"}, Answer: "Clear the lock in *Payroll*, *Jobs*."},
		{Title: "Severance letters", Symptom: "Where is the template for a severance letter?", Audience: []string{"hr", "legal"}, Answer: "In the HR vault."},
	}
	for i := range all {
		a := &all[i]
		a.ID, a.State, a.Language = knowledge.ArticleID(i+1), knowledge.Published, "en"
		if a.Audience == nil {
			a.Audience = []string{knowledge.Everyone}
		}
	}
	return all
}()

// newIndex is an index of articles, in memory.
func newIndex(t testing.TB, o Options, articles ...knowledge.Article) *Index {
	t.Helper()
	x, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("Close(): %v", err)
		}
	})
	if len(articles) > 0 {
		if err := x.Apply(t.Context(), articles, int64(len(articles))); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func suggest(t testing.TB, x *Index, q Query) knowledge.Suggestions {
	t.Helper()
	s, err := x.Suggest(t.Context(), q)
	if err != nil {
		t.Fatalf("Suggest(%.80q): %v", q.Text, err)
	}
	return s
}

func titles(hits []knowledge.Hit) []string {
	var all []string
	for _, h := range hits {
		all = append(all, h.Title)
	}
	return all
}
