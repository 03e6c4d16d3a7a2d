/** The counts of a queue in GetQueueAttributes, or changes of them, which may be negative. */
export interface Counts {
  readonly visible: number;
  readonly notVisible: number;
  readonly delayed: number;
}

const attributeOf: Readonly<Record<keyof Counts, string>> = {
  visible: 'ApproximateNumberOfMessages',
  notVisible: 'ApproximateNumberOfMessagesNotVisible',
  delayed: 'ApproximateNumberOfMessagesDelayed',
};

export const countAttributes = Object.values(attributeOf);

type Attributes = Readonly<Record<string, string>>;

/** Counts of messages that never existed, or no longer do. Only the real SQS reports such counts. */
export function skewed(attributes: Attributes, by: Partial<Counts>): Attributes {
  const result: Record<string, string> = { ...attributes };
  for (const [count, name] of Object.entries(attributeOf)) {
    const added = count in by ? (Reflect.get(by, count) ?? 0) : 0;
    if (name in result) result[name] = String(Math.max(0, Number(result[name]) + Number(added)));
  }
  return result;
}

/** `attributes` with the counts of an earlier moment. */
export function outdated(attributes: Attributes, earlier: Attributes): Attributes {
  const result: Record<string, string> = { ...attributes };
  for (const name of countAttributes) {
    const then = earlier[name];
    if (name in result && then !== undefined) result[name] = then;
  }
  return result;
}
