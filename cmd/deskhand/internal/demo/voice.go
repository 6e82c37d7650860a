package demo

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/core/policy"
)

// voice is how somebody types into a chat. People keep theirs.
type voice struct {
	capital bool // begins a sentence as one should
	stops   bool // ends it as one should
	greets  float64
	pleads  float64
	slips   float64
	hello   string
	please  string
}

var hellos = map[string][]string{
	"Gothenburg": {"hej", "hi", "hello", "hej hej", "hi there"},
	"Leipzig":    {"hi", "hello", "hallo", "moin", "good morning", "hi all"},
	"Porto":      {"hi", "hello", "olá", "bom dia", "hello everyone"},
}

var pleas = []string{"any idea?", "please help", "can you help?", "thx", "thanks", "what can I do?", "urgent", "help!", "someone knows this?", "thank you in advance"}

func voiceOf(p policy.Person) voice {
	h := fnv.New64a()
	h.Write([]byte(p.Mail))
	r := rand.New(rand.NewPCG(h.Sum64(), 7))
	v := voice{
		capital: r.Float64() < 0.55, stops: r.Float64() < 0.4,
		hello: pick(r, hellos[p.Site]), please: pick(r, pleas),
	}
	if r.Float64() < 0.35 {
		v.greets, v.pleads = 0.6, 0.1
	} else if r.Float64() < 0.3 {
		v.greets, v.pleads = 0.1, 0.5
	}
	if r.Float64() < 0.3 {
		v.slips = 0.5
	} else {
		v.slips = 0.06
	}
	return v
}

// says puts a plain sentence into the voice.
func (v voice) says(r *rand.Rand, plain string) string {
	s := plain
	if r.Float64() < v.slips {
		s = slip(r, s)
	}
	asks := strings.HasSuffix(s, "?") || question(s)
	if v.stops && !strings.ContainsAny(s[len(s)-1:], "?!.") {
		if asks {
			s += "?"
		} else {
			s += "."
		}
	}
	if r.Float64() < v.greets && !greeted(s) {
		s = v.hello + ", " + s
	}
	if v.capital {
		s = capital(s)
	}
	if r.Float64() < v.pleads && !strings.Contains(s, v.please) {
		switch {
		case strings.ContainsAny(s[len(s)-1:], "?!."):
			plea := v.please
			if v.capital {
				plea = capital(plea)
			}
			s += " " + plea
		default:
			s += ", " + v.please
		}
	}
	return s
}

// question tells whether a sentence asks, by its first word.
func question(s string) bool {
	first, _, _ := strings.Cut(strings.ToLower(s), " ")
	switch first {
	case "how", "what", "where", "who", "why", "when", "which", "can", "is", "do", "does", "may":
		return true
	}
	return false
}

func greeted(s string) bool {
	first, _, _ := strings.Cut(strings.ToLower(s), " ")
	return strings.HasPrefix(first, "hi") || strings.HasPrefix(first, "hello")
}

func capital(s string) string {
	c, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(c)) + s[n:]
	for _, w := range []string{"i", "i'm", "i've"} {
		s = strings.ReplaceAll(s, " "+w+" ", " I"+w[1:]+" ")
	}
	return s
}

// slips are how fingers and ears get common words wrong.
var slips = map[string][]string{
	"printer": {"pritner", "printr", "prnter"}, "printing": {"pritning", "prinitng"}, "laptop": {"labtop", "latop", "lapotp"},
	"password": {"pasword", "passwort", "passwrod"}, "account": {"acount", "accoutn"}, "connect": {"conect", "connet"},
	"access": {"acces", "acess"}, "screen": {"sceen", "srceen"}, "monitor": {"moniter", "monitior"}, "working": {"wroking", "workign"},
	"receive": {"recieve"}, "meeting": {"meetign", "meting"}, "calendar": {"calender"}, "message": {"mesage"}, "document": {"documnet"},
	"update": {"udpate", "updaet"}, "headset": {"headste", "haedset"}, "keyboard": {"keybord", "keyborad"}, "doesn't": {"dosent", "doesent", "doesnt"},
	"don't": {"dont"}, "can't": {"cant"}, "cannot": {"can not", "canot"}, "since": {"sinse", "since"}, "anymore": {"any more"},
	"colleague": {"collegue", "coleague"}, "customer": {"costumer"}, "receipt": {"reciept"}, "licence": {"license", "lisence"},
	"authenticator": {"autenticator", "authentificator"}, "which": {"wich"}, "with": {"wiht"}, "the": {"teh", "hte"}, "again": {"agian", "agin"},
	"restart": {"re-start", "resart"}, "outlook": {"outlok", "otulook"}, "battery": {"batery", "batterie"}, "disconnects": {"disconects"},
	"drops": {"drosp", "dropps"}, "slow": {"sloow", "slwo"}, "please": {"pls", "plase"}, "address": {"adress"}, "today": {"todya", "tody"},
	"error": {"erorr", "eror"}, "docking": {"dockign"}, "minutes": {"minuets", "min"}, "phone": {"phoen", "fone"}, "without": {"witout"},
	"locked": {"loked", "lockd"}, "folder": {"foldr", "fodler"}, "excel": {"exel", "excell"}, "crashes": {"crahses", "crashs"},
	"suddenly": {"sudenly"}, "network": {"netwrok"}, "computer": {"computr", "compter"}, "vacation": {"vaccation"}, "terminal": {"termianl"},
	"mailbox": {"mailbx", "mail box"}, "recognised": {"recogniced", "recognized"}, "order": {"oder"}, "second": {"secound"}, "deleted": {"delted"},
	"meetings": {"meetigns"}, "thanks": {"thnaks", "tanks"}, "everything": {"everthing"}, "shared": {"shard"}, "arrived": {"arived"},
}

// slip gets one word wrong, if it is one that people get wrong.
func slip(r *rand.Rand, s string) string {
	words := strings.Split(s, " ")
	for _, i := range r.Perm(len(words)) {
		if wrong, ok := slips[words[i]]; ok {
			words[i] = pick(r, wrong)
			break
		}
	}
	return strings.Join(words, " ")
}

// What slots stand for.
var (
	rooms     = map[string][]string{"Gothenburg": {"Göta", "Älvsborg", "Vinga", "Slottsskogen", "Haga"}, "Leipzig": {"Völkerschlacht", "Thomas", "Pleiße", "Gose", "Auwald"}, "Porto": {"Douro", "Foz", "Ribeira", "Bolhão"}}
	halls     = map[string][]string{"Gothenburg": {"the prototype shop", "the test hall"}, "Leipzig": {"hall 1", "hall 2", "hall 3", "the paint shop"}, "Porto": {"the wheel shop", "the warehouse"}}
	customers = []string{"Lastwerk Berlin", "Hjulhuset", "Bicicargo Lisboa", "Rad & Tat", "Velodepot Aarhus", "Cykelfabriken Umeå", "Transportrad Wien", "De Bakfietser", "Ciclo Norte", "Fietskoerier Utrecht", "Nordkurier", "Pedal & Paket", "Cargovelo Basel", "Stadtlieferer Köln"}
	carriers  = []string{"DHL", "DB Schenker", "CTT", "PostNord", "UPS"}
	docs      = []string{"budget_2026.xlsx", "price list Q4.xlsx", "stock_all_sites.xlsx", "Offer Hjulhuset v3.docx", "shift plan.xlsx", "warranty claims.xlsx", "forecast Iberia.xlsx", "launch plan.pptx", "supplier rating.xlsx", "minutes works council.docx"}
	folders   = []string{`S:\Supply\Contracts`, `S:\Sales\Dealers\Nordics`, `S:\Quality\Audits\2026`, `S:\Engineering\Test reports`, `S:\Marketing\Photos`, `S:\HR\Training`, `S:\Production\Shift plans`, `S:\Finance\Closing`, `S:\Care\Warranty`}
	boxes     = []string{"orders", "service", "spareparts", "invoices", "warranty", "press", "jobs", "fleet"}
	apps      = []string{"Tandem", "the drawings vault", "Kvitto", "the dealer portal", "Crew", "the quality database"}
	programs  = []string{"7-Zip", "Notepad++", "VLC", "GIMP", "Python", "Wireshark", "Draw.io", "Audacity", "FileZilla", "Inkscape", "PuTTY", "Label Designer"}
	licensed  = []string{"Visio", "Acrobat Pro", "Project", "Photoshop", "InDesign", "Power BI Pro", "the CAD program"}
	depts     = []string{"Sales", "Supply", "Quality", "Marketing", "Customer Care", "Engineering", "Finance", "Production"}
	stopcodes = []string{"DRIVER_POWER_STATE_FAILURE", "DPC_WATCHDOG_VIOLATION", "MEMORY_MANAGEMENT", "VIDEO_TDR_FAILURE", "WHEA_UNCORRECTABLE_ERROR"}
	weekdays  = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}
)

// slots fixes what the slots of one ticket, or of one question, stand for.
func (g *generator) slots(requester int) map[string]string {
	r, p := g.rand, g.history.People[requester]
	first := func(name string) string { s, _, _ := strings.Cut(name, " "); return s }
	colleague, other := g.colleague(requester), g.colleague(requester)
	floor, customer := 1+r.IntN(4), pick(r, customers)
	if p.Site == "Gothenburg" && r.IntN(2) == 0 {
		floor = 3
	}
	code := "GBG"
	for _, s := range sites {
		if s.name == p.Site {
			code = s.code
		}
	}
	manager := first(g.nameOf(p.Manager))
	if manager == "" {
		manager = "Anders" // the chief executive has none; Finance says yes to hers
	}
	return map[string]string{
		"first": p.Name[:len(first(p.Name))], "site": p.Site, "sitecode": code,
		"floor": fmt.Sprint(floor), "printer": fmt.Sprintf("PRN-%s-%d-%02d", code, floor, 1+r.IntN(4)),
		"room": pick(r, rooms[p.Site]), "hall": pick(r, halls[p.Site]),
		"desk": fmt.Sprintf("%d.%d", floor, 101+r.IntN(40)), "desk2": fmt.Sprintf("%d.%d", floor, 141+r.IntN(20)),
		"laptop": fmt.Sprintf("OX-L-%04d", 112+r.IntN(700)), "laptop2": fmt.Sprintf("OX-L-%04d", 820+r.IntN(60)),
		"clock":     fmt.Sprintf("%d:%02d", 9+r.IntN(7), 15*r.IntN(4)),
		"colleague": g.history.People[colleague].Name, "colleague_first": first(g.history.People[colleague].Name),
		"colleague2": g.history.People[other].Name, "colleague2_first": first(g.history.People[other].Name),
		"manager_first": manager, "owner_first": first(g.nameOf(pick(r, heads) + domain)),
		"customer": customer, "customer_domain": strings.ToLower(strings.Join(strings.FieldsFunc(plain.Replace(customer), func(c rune) bool { return !unicode.IsLetter(c) }), "")) + ".example",
		"carrier": pick(r, carriers), "doc": pick(r, docs), "folder": pick(r, folders), "sharedbox": pick(r, boxes),
		"app": pick(r, apps), "program": pick(r, programs), "licensed": pick(r, licensed), "dept": pick(r, depts),
		"drawing": fmt.Sprintf("OX-%d-%03d", 2100+r.IntN(600), r.IntN(400)), "order": fmt.Sprintf("SO-%d", 47100+r.IntN(3300)),
		"stopcode": pick(r, stopcodes), "day": pick(r, weekdays),
		"num1": fmt.Sprint(2 + r.IntN(7)), "num2": fmt.Sprint(3 + r.IntN(20)), "num4": fmt.Sprintf("800f%04x", r.IntN(1<<16)),
		"num5": fmt.Sprint(10000 + r.IntN(89999)), "code": fmt.Sprintf("%c%c-%04d", 'A'+r.IntN(26), 'A'+r.IntN(26), r.IntN(10000)),
	}
}

var heads = []string{"sara.nilsson", "thomas.reuter", "greta.winkler", "erik.aberg", "vera.lund", "anders.melin", "stefan.uhlig", "uwe.schreiber"}

// What is said when a cure did not hold, and with a face.
var (
	stillBroken = []string{
		"{sorry, |}it's back {again|since this morning}", "still {not working|the same}", "worked for {an hour|a day}, now the same again",
		"not fixed {for me|yet}, same {message|thing}", "I spoke too soon, it happens again",
	}
	stillMissing = []string{
		"{sorry, |}I still {can't see it|have no access|don't have it}", "not quite what I asked for", "one thing is missing, can you look again?",
		"it worked once and then not any more",
	}
	secondLook = []string{
		"Sorry about that, {first}. I look at it again.", "Reopened, I'm on it.", "Thanks for telling me, {first}. Looking again.",
	}
	secondFix = []string{
		"Did the same again and this time checked it together with {first}.", "Cause was another one, settled with {first} on the phone.",
		"Set it up from scratch together with {first}. Holds since.",
	}
	secondTry = []string{
		"Gone through it with {first}, now it's complete.", "A step was missing, done now.", "Corrected, {first} has tried it.",
	}
	faceWords = map[int][]string{
		5: {"quick and friendly", "super fast, thank you {agent_first}!", "", "best desk ever", "Solved in minutes", "{agent_first} is great", "obrigado!", "Tack!", "Danke!", "exactly what I needed", "very patient with me"},
		4: {"good, but I had to ask twice", "fine", "ok, took a bit", "works now", "thanks", "next time a bit faster, else good"},
		3: {"took too long", "it works but I don't know why", "average", "would have liked to know that it takes a week"},
		2: {"had to explain everything three times", "two days without a screen", "slow", "it came back a week later"},
		1: {"nobody told me anything for days", "missed a customer call because of this", "still think it's not solved"},
	}
	overrides = []string{"fair opens on Thursday", "pay run is tonight", "only person who can release payments", "audit starts tomorrow"}
)
