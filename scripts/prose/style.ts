/**
 * Our style: short sentences, the field's words, no phrase that must be read twice. `scripts/prose.ts` checks pages and
 * comments against it.
 */

/** The most words in a sentence. Code counts as one word. Split longer sentences. */
export const mostWords = 30;

/** The most colons and semicolons in a sentence. A sentence with more has more than one idea. */
export const mostJoints = 1;

/** Phrases that make a sentence odd or empty, and what to write instead. */
export const phrases: readonly (readonly [pattern: RegExp, instead: string])[] = [
  // Odd: correct, and read twice.
  [/\bhow-?manieth\b/i, 'say which number it is'],
  [/\b(?:has|have|had) come to be\b/i, '"became" or "is now"'],
  [/\bother than (?:it|they) (?:was|were)\b/i, '"changed"'],
  [/\bnobody minds\b/i, 'say who is affected, and how'],
  [/\bthat there (?:is|are|was|were)\b/i, '"existing", or leave it out'],
  [/\bwhat there (?:is|are|was|were)\b/i, 'name it'],
  [/\bwhat is (?:there|of|from|at|in|before|after|behind)\b/i, 'name it'],
  [/\ball (?:that|of that)\b/i, '"everything", or name it'],
  [/\bare of no\b|\bis of no\b/i, '"has no"'],
  [/\bis none\b|\bare none\b|\bis no longer there\b/i, '"does not exist", "is not a …"'],
  [/\b(?:is|are|was|were|be|been|being) told\b/i, 'say who sends what to whom'],
  [/\btells? of\b|\bspeaks? of\b|\bspoken of\b/i, '"names" or "mentions"'],
  [/\bmade of the\b|\bmade anew\b|\banew\b/i, '"from", "again"'],
  [/\bbut for\b/i, '"except"'],
  [/\bwhere (?:it|they) (?:is|are) left out\b|\bwhen (?:it|they) (?:is|are) left out\b/i, '"by default"'],
  [/\bwhen left out\b|\bis left out, but\b/i, '"by default"'],
  [/\bwithout a word\b/i, '"silently"'],
  [/\bmeant so\b|\bas meant\b/i, '"intended"'],
  [/\bborne\b/i, '"tolerated"'],
  [/\bfor ever\b/i, '"forever"'],
  [/\band the like\b|\bor the like\b/i, '"for example", or list them'],
  [/\bgoes? on (?:[a-z]+ing)\b/i, '"continues to"'],
  [/\bsaid once\b|\bis said\b|\bare said\b/i, '"logged once"'],
  [/\bis over\b|\bare over\b/i, '"has ended"'],
  [/\blooked at\b/i, '"checked", "read"'],
  [/\bsees to\b/i, '"does"'],
  [/\bis asked (?:for|of)\b|\bare asked (?:for|of)\b/i, 'say who requests what'],
  [/\bof itself\b|\bof themselves\b/i, '"itself", or leave it out'],
  [/\bthe one (?:that|who|which)\b/i, 'name it'],
  [/\bwhoever\b/i, 'name them'],
  [/\bseldom\b/i, '"rarely"'],
  [/\bno sooner\b/i, '"not before"'],
  // Old or stiff.
  [/\b(?:whilst|thereof|therein|wherein|hereby|thereby|hitherto|hence|thus)\b/i, 'the plain word'],
  [/\btill\b/i, '"until"'],
  [/\b(?:utilize|leverage|facilitate|commence)\w*\b/i, 'the plain word'],
  // Empty.
  [/\b(?:simply|obviously|easily|basically|actually|very|quite|rather)\b(?! than)/i, 'nothing'],
  [/\bin order to\b/i, '"to"'],
  [/\bplease note\b|\bnote that\b/i, 'nothing'],
];

/** Names as their owners write them. textlint-rule-terminology adds its own list. */
export const terms: readonly (string | readonly [pattern: string, name: string])[] = [
  'KEDA',
  'Kubernetes',
  'Kafka',
  'GitHub',
  'ConfigMap',
  'Deployment',
  ['scaled[ -]?objects', 'ScaledObjects'],
  ['scaled[ -]?object', 'ScaledObject'],
  ['scaled[ -]?jobs', 'ScaledJobs'],
  ['scaled[ -]?job', 'ScaledJob'],
  ['trigger[ -]?authentication', 'TriggerAuthentication'],
  ['jet[ -]?stream', 'JetStream'],
  ['cloud[ -]?events', 'CloudEvents'],
  ['cloud[ -]?event', 'CloudEvent'],
  ['network[ -]?policy', 'NetworkPolicy'],
  ['service[ -]?monitor', 'ServiceMonitor'],
  ['web[ -]hooks', 'webhooks'],
  ['web[ -]hook', 'webhook'],
  ['time-outs', 'timeouts'],
  ['time-out', 'timeout'],
];

/** Terms of textlint-rule-terminology that we write differently. */
export const notTerms: readonly string[] = ['readme(s)?', 'host[- ]name(s)?', "API['’]?s"];
