/** One line of a Dockerfile, continuations joined: `COPY`, and what follows it. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/**
 * Reads as much of the Dockerfile format as ours uses. Of an instruction it does not know, whoever carries
 * the stages out says so: nothing is skipped in silence.
 */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const { name, text: rest } of instructionsOf(text)) {
    if (name === 'FROM') stages.push(stageOf(rest));
    else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`${name} before the first FROM`);
      stage.instructions.push({ name, text: rest });
    }
  }
  return stages;
}

/** `["a", "b"]` as ENTRYPOINT and CMD have it; the other form needs a shell. */
export function execForm(stage: Stage, name: 'ENTRYPOINT' | 'CMD'): readonly string[] {
  const text = stage.instructions.findLast((one) => one.name === name)?.text ?? '[]';
  const words: unknown = text.startsWith('[') ? JSON.parse(text) : undefined;
  if (!Array.isArray(words)) throw new Error(`${name} is not a list of words, so it needs a shell: ${text}`);
  return words.map(String);
}

/** `A=1 B="two words"` of ENV, LABEL and ARG; `${X}` is replaced by what is given. */
export function assignments(text: string, given: Readonly<Record<string, string>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, key, quoted, plain] of text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S*))/g)) {
    if (key === undefined) continue;
    found[key] = (quoted ?? plain ?? '').replace(/\$\{(\w+)\}/g, (_, name: string) => given[name] ?? '');
  }
  return found;
}

function instructionsOf(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  const joined = lines.join('\n').replaceAll(/\\\n\s*/g, '');
  return joined.split('\n').map((line) => {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { name, text: rest.trim() };
  });
}

function stageOf(text: string): Stage & { instructions: Instruction[] } {
  const [, base, name] = /^(?:--platform=\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?$/.exec(text) ?? [];
  if (base === undefined) throw new Error(`FROM ${text}`);
  return { base, name, instructions: [] };
}
