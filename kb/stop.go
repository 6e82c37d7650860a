package kb

import "strings"

// stopWords say nothing about what is wrong: the small words of English, what
// people say around a question in chat, and how they say that it is one.
// Apostrophes are dropped before ("can't" is cant). They count inside the
// phrases of synonyms ("not working") all the same.
var stopWords = func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(stopText) {
		m[w] = true
	}
	return m
}()

const stopText = `
a an the this that these those such same other another each every all any some both few more most much many lot lots bit
i me my mine myself we us our ours ourselves you your yours yourself he him his she her hers it its itself they them their theirs
one ones someone somebody anyone anybody everyone everybody something anything everything nothing none thing things stuff
im ive id ill youre youve youd youll hes shes its weve were theyre theyve theres thats whats heres lets
am is are was were be been being isnt arent wasnt werent aint
do does did doing done dont doesnt didnt have has had having havent hasnt hadnt
can could may might must shall should will would cant cannot couldnt mustnt shouldnt wont wouldnt gonna wanna gotta
not no nor never neither either yes yeah yep nope
what which who whom whose when where why how whenever wherever whatever however whether
and or but if then else so because cause cuz since until unless while although though than as
of at by for from in into on onto off out over under up down to too with without within about above across after again
against along among around before behind below beneath beside between beyond during except inside near outside per through toward towards upon via
here there now just only also even still yet already always ever often sometimes usually today yesterday tomorrow
very really quite rather pretty almost maybe perhaps probably actually basically literally
hi hello hey hiya dear morning afternoon evening greetings team folks guys everyone
please pls plz thanks thank thx cheers regards kindly sorry appreciated appreciate
help helping helped need needs needed want wants wanted wanting like liked would looking trying try tried tries
get gets got getting gotten go goes going gone went come comes came coming give gives gave given giving
make makes made making take takes took taken taking put puts let keep keeps kept keeping
know knows knew known think thinks thought guess see sees saw seen say says said saying tell tells told ask asks asked asking
seem seems seemed happen happens happened happening way ways able unable possible anyone somehow
ok okay well sure right good great nice hope wondering wonder question questions idea ideas suggestion suggestions advice
issue issues problem problems trouble troubles
first second two last next once twice different
use uses used using find finds finding found look looks looked mean means meant show shows showing shown understand explain
fix fixed fixes fixing solve solved solving solution solutions resolve resolved resolving assist assistance advise
day days week weeks month months year years hour hours minute minutes ago recent recently current currently
previous previously past suddenly normally usual instead longer anymore any more fine best kind back
reason reasons case cases example info information note screenshot attached
particular specific certain easy easily easiest simple simply quick quickly method methods determine determining figure figuring deliberately interested concerned
http https www com re fw fwd pm
etc eg ie vs
`
