/** Changes with every change of a list, and stands in records beside scores. */
export const LEXICON_VERSION = 'quorum-finance-1';

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

/**
 * Words of good and bad news about prices, companies and crypto assets. Written for this program; a `*` at the end stands for
 * every ending. Words that are good or bad only with their object ("cut", "rate") are left out on purpose.
 */
export const POSITIVE_WORDS = words(`
  accelerat* accret* accumulat* adopt* advance* advances advancing all-time-high approv* attractive award* beat beats beaten
  beneficial benefit* best better boom boomed booming boost* breakthrough bull bullish bulls buoyant buyback* climb* confident
  confidence congratulat* constructive demand-driven dominan* doubled doubles doubling efficient embrace* endorse* exceed* excellent
  expand* expansion favorab* favourab* flourish* gain gained gaining gains green greatest growth grew grow growing grows halving
  healthy higher highs improv* inflow* innovat* jump* launch* leading lucrative milestone momentum nod optimis* outpace* outperform*
  outstanding overdeliver* oversubscribed partner* peak-profit positive profit profitab* profits progress* prosper* rally rallied
  rallies rallying rebound* record-high recover* resilien* reward* rise risen rises rising robust rocket* rose secure* skyrocket*
  soar* solid spike-up stabilis* stabiliz* strength* strong stronger strongest succe* support* surg* surpass* sustainab* thriv*
  top-performing tripled turnaround undervalued unlock-value upbeat upgrad* upside upswing uptick uptrend upward vibrant victor*
  win winner* winning wins won
`);

export const NEGATIVE_WORDS = words(`
  abandon* accus* adverse afraid alarm* alleg* arrest* attack* attacker* bad ban banned bankrupt* bans bear bearish
  bears bleak bleeding blow breach* bribe* bubble burst* caution* cautious charges chaos collaps* complain* concern* confiscat*
  contagion contract* convict* correction* corrupt* crackdown* crash* crime* criminal* crisis cripple* cyberattack* damage* danger*
  deadlock debacle decelerat* declin* decreas* default* deficit* defraud* delay* delist* denied denies depeg* depress* deteriorat*
  devalu* dilut* dip dipped dips disappoint* disast* disput* disrupt* distress* doubt* downgrad* downside downtrend downturn
  downward drain* drop dropped dropping drops drown* dump dumped dumping dumps embezzl* enforcement erod* erosion exploit* fade*
  fail failed failing fails failure* fall fallen falling falls fake fear* fell fines fined flaw* fled flee foreclos* fraud*
  freez* froze frozen glut grim hack* halt* hardship headwind* hurt* illegal illicit implod* inability indict* inflation* insolv*
  instability investigat* jail* jeopard* lack* lag lagged lagging lags launder* lawsuit* layoff* litigation liquidat* lose loses
  losing loss losses lost lower lows malicious manipulat* misconduct misled misleading miss missed misses negative outage*
  outflow* overvalued panic* penalt* pessimis* phishing plague* plummet* plung* ponzi poor pressure* prison probe* problem*
  prohibit* prosecut* pump-and-dump rejected rejects rekt resign* restrict* retreat* risk* ruin* rumor* rumour* sanction* scam*
  scandal* scare* seiz* sell-off selloff sentenced setback* shock* shortfall* shrank shrink* shut shutdown* sink sinking sinks
  slash* slid slide* slip slipped slipping slips slow slowdown slower slowing slowed sluggish slump* stagnat* stolen struggl*
  sued sues suffer* suspend* suspicio* terminat* theft* threat* tough trouble* tumbl* turmoil uncertain* underperform* undermin*
  unfavorab* unfavourab* unlawful unprofitab* unrest unstable violat* volatil* vulnerab* warn* weak weaken* weaker weakest weakness
  widening-loss withdrawal* worr* worse worsen* worst worthless wipe* wiped-out writedown* write-off
`);

/** Words that turn what follows into its opposite. */
export const NEGATIONS = new Set(
  words(`no not never none neither nor without cannot can't cant won't wont don't dont doesn't doesnt didn't didnt isn't isnt
    wasn't wasnt aren't arent weren't werent hasn't hasnt haven't havent hadn't hadnt couldn't couldnt wouldn't wouldnt shouldn't
    shouldnt fails fail failed unable despite avoid avoids avoided avoiding lacks less hardly barely`),
);
