package bot

import (
	"context"

	"github.com/deskhand/deskhand/bot/cards"
)

// presses are the flows of buttons, menu entries and shortcuts, by action.
var presses = map[string]flow{
	cards.Solved:    (*turn).solved,
	cards.NotAfter:  (*turn).notAfter,
	cards.Steps:     (*turn).steps,
	cards.Open:      (*turn).open,
	cards.OpenKind:  (*turn).openKind,
	cards.OpenOther: (*turn).openOther,
	cards.OpenAdd:   (*turn).openAdd,
	cards.OpenFrom:  (*turn).openFrom,
	cards.Talk:      (*turn).person,
	cards.Ask:       (*turn).askForm,
	cards.Claim:     (*turn).claim,
	cards.Release:   (*turn).release,
	cards.Assign:    (*turn).assign,
	cards.PassOn:    (*turn).notMine,
	cards.Away:      (*turn).awayForm,
	cards.Back:      (*turn).back,
	cards.HandOver:  (*turn).handOver,
	cards.Wait:      (*turn).wait,
	cards.Wake:      (*turn).wake,
	cards.Resolve:   (*turn).resolve,
	cards.Priority:  (*turn).priority,
	cards.History:   (*turn).history,
	cards.Yes:       (*turn).yes,
	cards.No:        (*turn).no,
	cards.Rate:      (*turn).rate,
	cards.Remark:    (*turn).remark,
	cards.TellLead:  (*turn).tellLead,
	cards.MyTickets: (*turn).myTickets,
	cards.Elsewhere: (*turn).elsewhere,
	cards.MyPage:    (*turn).myPage,
	cards.OpenPage:  func(*turn, context.Context) error { return nil },
	cards.About:     (*turn).about,
	cards.NotAbout:  (*turn).notAbout,
	cards.ItemShow:  (*turn).itemShow,
	cards.ItsMe:     (*turn).itsMe,
	cards.NotMe:     (*turn).notMe,

	cards.Why:         (*turn).why,
	cards.TakeBreach:  (*turn).takeBreach,
	cards.TellBreach:  (*turn).tellBreach,
	cards.PressBreach: (*turn).pressBreach,
	cards.DigestList:  (*turn).digestList,

	cards.ChangeRaise: (*turn).raise,
	cards.ChangeGoOn:  (*turn).goOn,
	cards.ChangeYes:   (*turn).approve,
	cards.ChangeNo:    (*turn).sayWhy,
	cards.ChangeBack:  (*turn).sayWhy,
	cards.ChangePlans: (*turn).plans,
	cards.ChangeDiff:  (*turn).difference,
	cards.ChangeStop:  (*turn).sayWhy,
	cards.ChangeBegin: (*turn).beginWork,
	cards.ChangeEnd:   (*turn).end,
	cards.ChangeLearn: (*turn).sayWhy,
	cards.ChangeShow:  (*turn).changeShow,
	cards.Calendar:    (*turn).calendar,
	cards.NewCalendar: (*turn).newCalendar,
	cards.ChangeBroke: (*turn).broke,
	cards.ChangeBlame: (*turn).blame,
	cards.ChangeClear: (*turn).clear,
	cards.Delegate:    (*turn).delegate,
	cards.TakeBack:    (*turn).takeBack,

	cards.GapWrite:    (*turn).gapWrite,
	cards.GapShow:     (*turn).gapShow,
	cards.GapNotIT:    (*turn).gapNotIT,
	cards.SaveAs:      (*turn).saveAs,
	cards.ArticleNew:  (*turn).newArticle,
	cards.ArticleEdit: (*turn).edit,
	cards.ArticleMove: (*turn).articleMove,
	cards.ArticleShow: (*turn).articleShow,
}

// forms are the flows of forms that were sent, by action.
var forms = map[string]flow{
	cards.Ask:      (*turn).askSend,
	cards.Solved:   (*turn).solved,
	cards.OpenSend: (*turn).openSend,
	cards.Assign:   (*turn).assignSend,
	cards.Away:     (*turn).awaySend,
	cards.HandOver: (*turn).handOverSend,
	cards.Wait:     (*turn).waitSend,
	cards.Priority: (*turn).prioritySend,
	cards.Resolve:  (*turn).resolveSend,
	cards.No:       (*turn).noSend,
	cards.Remark:   (*turn).remarkSend,
	cards.About:    (*turn).aboutSend,

	cards.TellBreach:  (*turn).tellBreachSend,
	cards.ChangeWhat:  (*turn).whatSend,
	cards.ChangeHow:   (*turn).howSend,
	cards.ChangeYes:   (*turn).approveSend,
	cards.ChangeNo:    (*turn).rejectSend,
	cards.ChangeBack:  (*turn).sendBackSend,
	cards.ChangeStop:  (*turn).callOff,
	cards.ChangeEnd:   (*turn).endSend,
	cards.ChangeLearn: (*turn).learn,
	cards.ChangeBroke: (*turn).brokeSend,
	cards.Delegate:    (*turn).delegateSend,
	cards.ArticleEdit: (*turn).articleSend,
}

// dismissals are the flows of forms that were closed unsent, by action.
var dismissals = map[string]flow{
	cards.ChangeHow: (*turn).howKept,
}
