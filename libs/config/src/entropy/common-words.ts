/**
 * Words that people use when they make up a secret: what placeholders, passwords and descriptions of secrets consist of.
 * The list is short on purpose. A word that is missing costs no more than its letters: words-alone.ts.
 */
const LISTS = [
  // What a secret is called, and what it is for.
  'secret secrets password passwords passwd passphrase token tokens key keys code codes pin pass credential',
  'client clients clientid outbound inbound relay relays tunnel upstream server servers service services gateway proxy',
  'api mte auth access login user users username admin administrator root guest owner account system',
  'private public shared internal external secure secured security safe strong super ultra master main primary',
  'hash salt sign signing signature encrypt encryption session cookie bearer header basic oauth jwt hmac sha',
  'http https redis database postgres mysql mongo docker kubernetes cluster node express nest github gitlab jenkins',
  // Placeholders.
  'your yours change changed changeme replace insert enter fill here this that value values example examples sample',
  'placeholder default defaults dummy fake demo trial temp temporary todo fixme please edit generate generated random',
  'string text word words name length long longer least characters character chars letters digits bytes bits minimum',
  'test tests testing tester dev develop development developer local localhost stage staging prod production live',
  'real none null undefined unknown something anything nothing whatever enough must should never always only before',
  // English.
  'my me we us id is it in on of or to be by at as an am do no go if so up',
  'the and for not but with from into over under about after again all any are can did does each every few first give',
  'good great had has have her him his how its just know last like little look love made make many more most much myself',
  'new next nobody now off old one ones other our out own people right said same see she some such take tell than them',
  'then there these they thing think those time too two three four five six seven eight nine ten hundred thousand use',
  'used very want was way well were what when where which who why will work world would year years yes you really',
  'another between both remember forget guess open close hello goodbye welcome thanks friend family home house company',
  'office project team group business bank money data info file files folder application app web site website email mail',
  'phone number numbers computer internet network cloud data production platform backend frontend customer partner',
  // Passwords that lists of stolen ones begin with.
  'letmein iloveyou sunshine princess dragon monkey shadow football baseball soccer hockey superman batman starwars',
  'trustno1 whatever freedom ninja flower hottie lovely summer winter spring autumn summertime mustang charlie michael',
  'jordan jennifer jessica daniel thomas robert george hunter ranger buster tigger pepper ginger cookie banana orange',
  'apple cheese chocolate coffee pizza killer matrix mother father sister brother jesus angel baby computer merlin',
  'correct horse battery staple lorem ipsum dolor sit amet foo bar baz foobar qux alice bob question hamlet',
  'quick brown jumps jumped lazy dog fox once upon star wars force luck dead beef cafe babe feed face rainbow unicorn',
  'january february march april may june july august september october november december',
  'monday tuesday wednesday thursday friday saturday sunday spring red green blue black white yellow gold silver',
];

/** All words, in lower case,. */
export const COMMON_WORDS: ReadonlySet<string> = new Set(LISTS.flatMap((list) => list.split(' ')));
