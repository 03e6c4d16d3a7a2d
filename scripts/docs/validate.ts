import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { validateInputs } from '../../src/scaledobjects/validate.ts';
import { sources } from '../../src/sources/index.ts';
import type { World } from '../../src/triggers/resolve.ts';
import {
  mistakes,
  type RealMistake,
  rightConfig,
  rightJob,
  rightObject,
  written,
} from '../../test/support/mistakes.ts';
import { table } from './table.ts';

const page = (rows: readonly string[][]): string => `# Checking before deploying

<!-- Made by \`npm run docs\` from scripts/docs/validate.ts and test/support/mistakes.ts: change those, not this page. -->

\`\`\`sh
backlog-scaler validate -f deploy/ --config backlog-scaler.yaml
kubectl get scaledobjects,scaledjobs -A -o yaml | backlog-scaler validate -f -
helm template my-chart | backlog-scaler validate -f - -o github
\`\`\`

[How to run \`backlog-scaler\`](../README.md#the-commands)

\`validate\` reads ScaledObjects and ScaledJobs and says what is wrong with them, each fault with its file and line. It asks nobody: no
cluster, no broker, no cloud. The scaler's own triggers go through the same code that the running scaler has. Around them it looks for
what KEDA refuses or leaves out without a word. Triggers of other scalers, and objects of other kinds, are counted and left alone.

| option | meaning |
| --- | --- |
| \`-f FILE\`, \`-f DIR\`, or the names alone | YAML or JSON, any number of documents, lists as \`kubectl get\` prints them; \`-\` is standard input. Of a folder every \`*.yaml\` and \`*.yml\` in which a ScaledObject or ScaledJob is spoken of. Hidden folders and \`node_modules\` are passed over. A link is followed to a file in the same folder only |
| \`--config FILE\` | the scaler's configuration. It is checked itself, and triggers against its connections: which one is meant, whether the namespace may use it, whether it has what the trigger says, and whether \`enableTLS\` fits \`grpc.tls\` |
| \`-n NAME\` | the namespace of what names none |
| \`-o text\`, \`-o github\`, \`-o json\` | for people; as workflow commands, which GitHub shows at the line; for programs |
| \`--strict\` | warnings fail too |
| \`--allow-none\` | it is no fault that there is no ScaledObject or ScaledJob |

An **error** is refused by KEDA, Kubernetes or the scaler, or never does what it says. A **warning** works, but hardly as meant.

| exit code | |
| --- | --- |
| 0 | nothing is wrong, or there are only warnings |
| 2 | there are errors (with \`--strict\` also warnings), a file cannot be read, or there is nothing to check |

A file has at most 5 MB and 5,000 objects. An object has at most 100 aliases. A template is no YAML: render it first.

Without \`--config\` it is left open which connection a trigger gets, and the last line says of how many. The same holds for a trigger with
\`…FromEnv\`, whose value only the workload knows. \`--config\` alone checks a configuration before a rollout. Where a file or variable that it
names is not there, as on a build machine without secrets, that is a warning, and triggers are then checked without connections.

## What it says

Every row is one change in what was right before, with the configuration that has the connections \`orders\` (for namespace \`shop\`) and
\`payments\` (for \`bank\`). A test runs all of them.

${table(['mistake', '', 'what `validate` says'], rows)}

## In a pull request

With \`--config\` too, where the configuration is in the repository. Of warnings and errors GitHub shows ten each; the log has all.

\`\`\`yaml
- run: docker run --rm -v "$PWD:/work" -w /work registry.example.com/backlog-scaler:0.1.0 validate -f deploy -o github
\`\`\`

As a hook of [pre-commit](https://pre-commit.com), with the command on the \`PATH\`:

\`\`\`yaml
repos:
  - repo: local
    hooks:
      - id: backlog-scaler
        name: ScaledObjects
        language: system
        entry: backlog-scaler validate --allow-none
        types: [yaml]
        require_serial: true
\`\`\`

Charts' templates are no YAML: leave them out by \`exclude: ^charts/\`.

## JSON

\`-o json\` prints one object:

| key | |
| --- | --- |
| \`faults\` | a list of \`file\`, \`line\` (from 1), \`where\` (the object and trigger; empty for the file), \`message\`, \`severity\` (\`error\` or \`warning\`) |
| \`files\`, \`scaledObjects\`, \`scaledJobs\` | how many were read |
| \`triggers\` | how many of them ask this scaler |
| \`otherTriggers\`, \`otherObjects\` | how many were passed over |
| \`leftOpen\` | of how many triggers the connection could not be known |
`;

export async function validatePage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'backlog-scaler-docs-'));
  try {
    const file = join(folder, 'backlog-scaler.yaml');
    writeFileSync(file, rightConfig);
    const loaded = await loadConfig(file, { environment: {}, sources });
    if (loaded.kind === 'refused') throw new Error(loaded.faults.join('\n'));
    const { connections } = loaded.config;
    const world = { sources, connections, maxStalenessSeconds: 60, refuseSecretsFromEnv: false };
    return page(mistakes.map((mistake) => row(mistake, world)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function row(mistake: RealMistake, world: World): string[] {
  const text = written(mistake);
  const { faults } = validateInputs([{ file: 'a.yaml', text }], { sources, namespace: '', world });
  const [fault] = faults;
  if (!fault) throw new Error(`${mistake.mistake}: no fault is found`);
  const { line, severity, message } = fault;
  const before = mistake.in === 'object' ? rightObject : rightJob;
  const lines = text.split('\n');
  const shown = lines[line - 1] ?? '';
  const changed = before.split('\n').includes(shown) ? '' : `\`${shown.trim()}\``;
  return [mistake.mistake, changed, `${severity}: ${message}`];
}
