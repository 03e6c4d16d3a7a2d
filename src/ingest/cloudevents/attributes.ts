import { CloudEvent, ValidationError } from 'cloudevents';
import type { InboundCloudEvent } from '../../sources/inbound.ts';

const required = ['id', 'source', 'type'] as const;
const optional = ['subject', 'time', 'datacontenttype', 'dataschema'] as const;
const known = new Set<string>(['specversion', ...required, ...optional]);

/** Far more than any sender needs; with what a body may hold they bound what one event costs. */
const maxChars = 2048;
const maxExtensions = 64;
/** The specification asks for 20 (CloudEvents 1.0 §3.1). */
const maxNameChars = 64;

type Attributes = ReadonlyMap<string, unknown>;
type Extension = string | number | boolean;
type Told = Partial<Record<(typeof required)[number] | (typeof optional)[number], string>>;

/**
 * The event of these attributes and this data. Undefined, with all faults reported, if they are no event. The SDK has the
 * last word on the form of each attribute. This checks first what the SDK lets through: it invents an `id`, takes any
 * `specversion`, and takes an object as an extension.
 */
export function cloudEventOf(
  attributes: Attributes,
  data: unknown,
  report: Report,
): InboundCloudEvent | undefined {
  let sound = true;
  const fault: Report = (attribute, problem) => {
    sound = false;
    report(attribute, problem);
  };
  checkVersion(attributes.get('specversion'), fault);
  const told = toldBy(attributes, fault);
  const extensions = extensionsIn(attributes, fault);
  const { id, source, type, subject } = told;
  if (!sound || id === undefined || source === undefined || type === undefined) return undefined;
  checkForm(told, fault);
  return sound ? { id, source, type, subject, timeMs: timeMsOf(told.time), data, extensions } : undefined;
}

function checkVersion(given: unknown, fault: Report): void {
  if (given === undefined) fault('specversion', 'is missing');
  else if (given !== '1.0') fault('specversion', 'must be "1.0"');
}

function toldBy(attributes: Attributes, fault: Report): Told {
  const told: Told = {};
  for (const name of [...required, ...optional]) {
    const value = attributes.get(name);
    if (typeof value === 'string') {
      told[name] = value;
      checkText(name, value, fault);
    } else if (value !== undefined) fault(name, 'must be a string');
  }
  for (const name of required) {
    if (attributes.get(name) === undefined) fault(name, 'is missing');
    else if (told[name] === '') fault(name, 'is empty');
  }
  return told;
}

function extensionsIn(attributes: Attributes, fault: Report): Record<string, Extension> {
  const extensions: Record<string, Extension> = {};
  let count = 0;
  for (const [name, value] of attributes) {
    if (known.has(name)) continue;
    count += 1;
    if (count > maxExtensions) {
      fault('extensions', `are more than ${maxExtensions}`);
      break;
    }
    // The name is the sender's, and an answer holds nothing of a body.
    if (name === 'data') fault('an attribute', 'is called data');
    else if (!/^[a-z0-9]+$/.test(name)) fault('an attribute', 'has a name that is not a-z and 0-9');
    else if (name.length > maxNameChars)
      fault('an attribute', `has a name longer than ${maxNameChars} characters`);
    else if (isExtension(value)) {
      extensions[name] = value;
      if (typeof value === 'string') checkText('an extension', value, fault);
    } else fault('an extension', 'is neither a string nor an integer nor a boolean');
  }
  return extensions;
}

function isExtension(value: unknown): value is Extension {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
}

/** Control characters and halves of surrogate pairs are in no attribute (CloudEvents 1.0 §3, String). */
function checkText(attribute: string, value: string, fault: Report): void {
  if (value.length > maxChars) fault(attribute, `is longer than ${maxChars} characters`);
  else if (/[\p{Cc}\p{Cs}]/u.test(value)) fault(attribute, 'holds control characters or broken Unicode');
}

/** The form of each attribute, by the SDK's schema: URI references, RFC 3339, nothing empty. It names the first fault. */
function checkForm(told: Told, fault: Report): void {
  try {
    new CloudEvent(told);
  } catch (reason) {
    const { attribute, problem } = formFault(reason);
    fault(attribute, problem);
  }
}

function formFault(reason: unknown): { attribute: string; problem: string } {
  const first: unknown = reason instanceof ValidationError ? reason.errors?.[0] : undefined;
  if (typeof first === 'object' && first !== null && 'instancePath' in first && 'message' in first) {
    return { attribute: String(first.instancePath).slice(1), problem: String(first.message) };
  }
  return { attribute: 'the event', problem: 'is no valid CloudEvent' };
}

/** In ms since 1970; a leap second is valid, and none to JavaScript. */
function timeMsOf(time: string | undefined): number | undefined {
  const timeMs = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** Says what is wrong with an attribute of one event. */
export type Report = (attribute: string, problem: string) => void;

const maxSaid = 10;

/** What is wrong with the events of a request: the first ten in words, the others counted. Nothing of a body is in it. */
export class Faults {
  private readonly said: string[] = [];
  private count = 0;

  /** `place` as the sender knows it: `ce-source`, `source`, `[3].source`. */
  add(place: string, problem: string): void {
    this.count += 1;
    if (this.said.length < maxSaid) this.said.push(`${place} ${problem}`);
  }

  get any(): boolean {
    return this.count > 0;
  }

  get summary(): string {
    const more = this.count - this.said.length;
    return more > 0 ? `${this.said.join('; ')}; and ${more} more` : this.said.join('; ');
  }
}
