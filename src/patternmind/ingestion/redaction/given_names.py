"""Common given names of many languages: hints that a capitalised word may be a person.

Names that are also words are listed in ``ambiguous_names``. This list alone never redacts anything.
"""

from patternmind.ingestion.redaction.names import fold

_NAME_LIST = """
aaron abdul abdullah abigail adam adel adele adrian adriana agata agnes agnieszka ahmad ahmed aidan aisha akira alain
alan albert alberto alejandra alejandro aleksandar aleksandra alena alessandra alessandro alex alexander alexandra
alexandre alexis alfonso alfred ali alice alicia alina alisa alison allan allen allison alma alvaro amal amanda amara
amelia amina amir amit amy ana anastasia anaïs anders andrea andreas andrei andres andrew andrzej andy angela angelina
angelo anika anil anita anja anke ann anna annabel anne annette annika ansgar anthony antoine anton antonia antonio
anushka aoife april arash ariel arjun arne arnold arthur artur arun asha ashley ashok asif astrid atle audrey august
axel ayesha aylin ayse barbara barry bartek bas beata beatrice beatriz ben benedikt benjamin bente berit bernard bernd
bert beth betty bianca bilal birgit birgitte bjørn bob bogdan bożena brandon brenda brendan brian bridget britt
bruce bruno bryan camilla camille carina carl carla carlo carlos carmen carol carolina caroline carolyn
carsten catarina catherine cathy cecilia cecilie chantal charles charlie charlotte chen chiara chloe chris christa
christian christiane christina christine christoph christophe christopher ciara cindy claire clara claude claudia
claudio claus clemens colin colleen connor conor constantin cora corinna cristian cristina curtis cynthia cédric
dagmar damian damien dan dana daniel daniela danielle danny daria dario darko darren dave david dawid deborah debra
deepak dejan delia denis denise dennis derek diana diane diego dieter dietmar dilip dimitri dimitris dina dirk
dmitri dmitry dolores dominic dominik dominique don donald donna dora doris dorota dorothea dorothy doug douglas
duncan dustin dylan eduard eduardo edward edwin egil eileen einar eivind ekaterina elaine elena eleni elias elif elin
elina elisa elisabeth elise eliza elizabeth ella ellen elliot elsa else elvira emil emilia emilie emily emine emma
emmanuel enrico enrique eric erica erik erika erin erling ernesto esra esther ethan eugene eugenia eva evelyn ewa
fabian fabio fabrice fadi faisal farah farid farouk fatemeh fatima fatma federica federico felipe felix ferdinand
fernanda fernando filip filippo fiona florence florian francesca francesco francis francisco francois frank franz
françois fred freddy frederic frederik fredrik frida friedrich gabriel gabriela gabriele gareth gary gavin geir geoff
georg george georgia georgina gerald gerard gerd gerhard ghassan gianluca gilles gina giorgio giovanni gisela giulia
giuseppe gloria goran gordon grace graham greg gregor gregory greta grzegorz guillaume guillermo gunnar gustav gustavo
guy günter günther habib hakan halima halvor hamid hamza hana hanna hannah hanne hans harald haris harold harriet
harry hasan hassan hector heidi heike heiko heinrich heinz helen helena helene helga helge helmut hendrik henning
henri henrik henry herbert herman hiroshi holger howard hubert hugh hugo hussein håkon ian ibrahim ida ignacio igor
ilona ilse imran ines inga inge inger ingrid ioana irena irene irina iris isaac isabel isabella isabelle ismail ivan
ivana ivar iwona jaap jack jackie jacob jacqueline jakob jakub jamal james jamie jan jana jane janet janice janina
janine jannik jari jarle jarosław jasmin jasmina jason javier jean jeff jeffrey jelena jennifer jenny jens jeremy
jerome jerry jesper jesse jessica jesus jill jim jimmy jing joachim joan joana joanna joao joaquin jochen joe joel
johan johann johanna johannes john johnny jon jonas jonathan joost jordan jorge jorgen jose josef josefine joseph josh
joshua josé jovana joyce juan judith judy julia julian juliana julie julien juliette julio julius jussi justin justyna
jutta jörg jørgen jürgen kaj kamal kamil karen karim karin karina karl karla karsten kasia katarina katarzyna kate
katherine kathleen kathrin kathrine kathy katie katja katrin katrina kay kazimierz keith kelly ken kenji kenneth
kerry kerstin kevin khadija khaled khalid kim kimberly kiran kirsten kirsti kjell kjersti kjetil klaus knut konrad
krishna kristian kristin kristina kristine kristof krzysztof kumar kurt kyle larry lars laszlo latifa laura
lauren laurence laurent layla lea leah lee leif leila lena leo leon leonard leonardo leonie leopold leslie liam lidia
lili lilian liliana lin lina linda lindsay lisa lise lito liv liza lorena lorenzo lothar lotte louis louise luc
luca lucas lucia lucie lucy ludwig luigi luis luisa lukas luke lydia lynn maarten maciej madeleine magda magdalena
magnus mahmoud maja malgorzata malik malin manfred manuel manuela marc marcel marcela marcello marcin marco marcos
marcus marek margaret margarita margit maria marian mariana marianne marie marija marijke marina mario marion marit
marius marjan mark marko markus marlene marta martha martin martina marwan mary maryam mateusz mathias mathieu
mathilde matt matteo matthew matthias maureen maurice mauricio mauro max maxim maxime maya małgorzata mehdi mehmet mei
melanie melissa mercedes mette mia micha michael michaela michal michał michel michela michele michelle miguel mihai
mika mikael mike mikhail mikkel mila milan milena miles milica miloš mina ming mira miriam mirjam miroslav mitchell
moa mohamed mohammad mohammed mohan moira mona monica monika monique morten moses mostafa muhammad murat mustafa nadia
nadine nadja naima nancy naomi natalia natalie natasha nathalie nathan neha neil nele nelson nenad nicholas nick
nicola nicolas nicole niels nigel nikhil nikita nikola nikolai nikos nils nina noah noel noemi nora norbert norma olaf
olav ole oleg olena olga oliver olivia olivier omar ondrej oscar oskar osman otto pablo pal pamela paola paolo pascal
pat patricia patricio patrick patrik paul paula paulina pauline paulo pavel pawel paweł pedro penelope per pernille
peter petra petter phil philip philipp philippe phoebe pia pierre piet pieter pietro piotr pooja prakash priya rachel
radek rafael rafał ragnhild rahul raj rajesh ralf ralph ramon ramona randi rania raquel rashid raul ravi raymond
rebecca regina reinhard renata renate rene rené ricardo riccardo richard rick rita rob robert roberta roberto robin
rodrigo roger roland rolf roman ron ronald rosa rosalind rosemarie rosie ross roxana roy rune rupert russell ruth ryan
saad sabine sabrina said saleh sally salma sam samantha samir samira samuel sander sandra sandro sanjay sanna sanne
santiago sara sarah sasha saskia scott sean sebastian selim selma serge sergei sergey sergio shane shannon sharon
shaun sheila shirin shirley siddharth sigrid silje silke silvia simon simona simone siobhan siri sofia sofie solveig
sonia sonja sophia sophie stacy stan stanislav stefan stefania stefano steffen stein stella sten stephan stephanie
stephen steve steven stian stuart sue suleiman sunil suresh susan susana susanne suzanne svein sven svenja svetlana
sylvia sylvie sylwia sébastien søren sławomir takashi tamara tania tanja tanya tara tariq tatiana tatjana ted teresa
terje terry tessa theo theodor theresa thierry thomas thor tiago tim timo timothy tina tobias todd tom tomas tomasz
tommaso tommy tone toni tony tor torben tore torsten tracy trine trond tyler udo ulf ulla ulrich ulrike umar urs
ursula uta uwe vadim valentin valentina valeria valerie vanessa vera verena veronica veronika vesna vicky victor
victoria vidar vijay vikram viktor viktoria vincent vincenzo virginia vivek vivian vladimir volker wade walter wanda
warren wei wendy werner wesley wilhelm willem william wim wojciech wolfgang xavier xin yan yang yannick yasmin yasmine
yasser yolanda yosef youssef yuki yuri yusuf yves yvonne zahra zainab zbigniew zeynep zofia zoran zuzana øystein
øyvind łukasz
"""
GIVEN_NAMES = frozenset(fold(name) for name in _NAME_LIST.split())
"""In lower case and without accents."""
