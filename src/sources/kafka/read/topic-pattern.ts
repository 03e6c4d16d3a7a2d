/** Whether the whole name matches a pattern in which `*` is any run of characters and `?` is any one. */
export function matchesPattern(pattern: string, name: string): boolean {
  // Not a RegExp: a dozen stars in one would backtrack for minutes. This goes back to the last star only.
  let at = 0;
  let star = -1;
  let starName = 0;
  let p = 0;
  while (at < name.length) {
    if (pattern[p] === '*') {
      star = p;
      starName = at;
      p += 1;
    } else if (pattern[p] === '?' || pattern[p] === name[at]) {
      p += 1;
      at += 1;
    } else if (star >= 0) {
      p = star + 1;
      starName += 1;
      at = starName;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** Which topics match, worked out once for each list of topics. */
export class TopicPatterns {
  /** By the list itself: when the cluster gives a new one, the results go with the old. */
  private readonly results = new WeakMap<readonly string[], Map<string, readonly string[]>>();

  matching(pattern: string, topics: readonly string[]): readonly string[] {
    let ofList = this.results.get(topics);
    if (!ofList) {
      ofList = new Map();
      this.results.set(topics, ofList);
    }
    let matching = ofList.get(pattern);
    if (!matching) {
      matching = topics.filter((topic) => matchesPattern(pattern, topic));
      ofList.set(pattern, matching);
    }
    return matching;
  }
}
