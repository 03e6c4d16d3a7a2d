import { glob } from '../../../params/glob.ts';
import { inTurns } from '../turns.ts';

/** Which topics match, worked out once for each list of topics. */
export class TopicPatterns {
  /** By the list itself: when the cluster gives a new one, the results go with the old. */
  private readonly results = new WeakMap<readonly string[], Map<string, Promise<readonly string[]>>>();

  /** In the list's order. A thousand names are looked at in one turn of the event loop. */
  matching(pattern: string, topics: readonly string[]): Promise<readonly string[]> {
    let ofList = this.results.get(topics);
    if (!ofList) {
      ofList = new Map();
      this.results.set(topics, ofList);
    }
    let matching = ofList.get(pattern);
    if (!matching) {
      matching = filter(topics, glob(pattern));
      ofList.set(pattern, matching);
    }
    return matching;
  }
}

async function filter(
  topics: readonly string[],
  matches: (topic: string) => boolean,
): Promise<readonly string[]> {
  const matching: string[] = [];
  for await (const part of inTurns(topics))
    for (const topic of part) if (matches(topic)) matching.push(topic);
  return matching;
}
