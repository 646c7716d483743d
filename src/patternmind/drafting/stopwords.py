"""Words too common to name a theme: English, and the most common German, Dutch and Nordic ones."""

STOPWORDS = frozenset(
    """
    a about above after again against ago all almost alone along already also although always am among an and
    another any anybody anyone anything anyway are aren't around as ask asked at away back be became because become
    been before began behind being below between both but by call called came can can't cannot come could couldn't
    did didn't do does doesn't doing don't done down during each either else enough especially etc even ever every
    everybody everyone everything everywhere far few find first five for found four from full further gave get gets
    getting give given gives go goes going gone good got great had hadn't half has hasn't have haven't having he her
    here hers herself him himself his how however i i'd i'll i'm i've if in instead into is isn't it it's its itself
    just keep kept knew know known last least less let like likely little long longer look looked made make makes
    making many may maybe me mean means might mine more moreover most mostly much must my myself near nearly neither
    never new next no nobody none nor not nothing now of off often oh okay old on once one only onto or other others
    our ours ourselves out over own per perhaps please possible put quite rather really right said same saw say says
    second see seem seemed seen self shall she should shouldn't show showed since six so some somebody someone
    something sometimes somewhere soon still such sure take taken takes taking tell ten than that that's the their
    theirs them themselves then there there's therefore these they they're thing think third this those though
    thought three through thus till to today together told too took toward towards tried try trying turn turned
    twelve two under until up upon us use used uses using very via want wanted was wasn't way we we'd we'll we're
    we've well went were weren't what whatever when where whether which while who whole whom whose why will with
    within without won't would wouldn't yes yesterday yet you you'd you'll you're you've your yours yourself able
    according across actually added allowed asking based bad best better big certain clear clearly different due
    early end ended following happen happened hour hours include included including indeed issue kind later left lot
    main minute minutes monday tuesday wednesday thursday friday saturday sunday january february march april june
    july august september october november december morning afternoon evening night need needed needs number place
    point problem provided provides quarter rest result several similar small start started stop stopped term
    tomorrow twice ways year years week weeks month months day days time times work worked working www http https
    com org aber als auch auf aus bei bin bis das dass dem den der des die doch ein eine einem einen einer eines er
    es für hat hatte ich ihr im ist ja kann kein keine man mich mir mit nach nicht noch nur oder ohne sehr sich sie
    sind über um und uns vom von vor war weil wenn wer wie wir wird wurde zu zum zur aan bij dan dat de deze dit een
    en geen heb heeft hem het hier hij hoe hun ik je kan maar meer met mij naar niet nog nu om omdat ons ook op te
    toch tot uit van veel voor wat wel werd wij zal ze zijn alle andre av ble bli da deg det dette du eller et etter
    fra ha han har hva hvor ikke inn jeg med meg men mot når nå og opp oss på seg sin skal som til ut ved vi vil
    være att blev där detta från hade hon inte jag kunde mycket några och också sig skulle upp vara vid är
    """.split()
)
