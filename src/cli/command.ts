/** One option of a command. */
export interface Option {
  type: 'string' | 'boolean';
  /** What its value is, for the usage text: `FILE`. */
  value?: string;
  doc: string;
  required?: boolean;
}

/** Values by option name; an option that was not given is not there. */
export type Values = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Resolves with the exit code when the command is done. */
  run(values: Values): Promise<number>;
}

/** A command that is only loaded when it is asked for. */
export interface ListedCommand {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** What a command ends with. */
export const exitCode = { ok: 0, failed: 1, invalid: 2, unreachable: 3 } as const;
