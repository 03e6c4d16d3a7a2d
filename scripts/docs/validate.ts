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

\`validate\` checks ScaledObjects and ScaledJobs, and reports each fault with file and line. It needs no cluster, broker or cloud. Triggers of this
scaler go through the code of the running scaler. It also finds what KEDA refuses or silently ignores. Triggers of other scalers, and other
objects, are only counted.

| option | meaning |
| --- | --- |
| \`-f FILE\`, \`-f DIR\`, or the names alone | YAML or JSON, with any number of documents or \`kubectl get\` lists. \`-\` is standard input. In a folder, every \`*.yaml\` and \`*.yml\` that mentions a ScaledObject or ScaledJob; those without \`apiVersion\` and \`kind\`, such as alerts, are skipped and counted. Hidden folders and \`node_modules\` are skipped. Links are followed only to files in the same folder |
| \`--config FILE\` | the scaler's configuration. It is checked too, and triggers are checked against its connections: selection, namespaces, agreement, and whether \`enableTLS\` fits \`grpc.tls\` |
| \`-n NAME\` | the namespace of objects without one |
| \`-o text\`, \`-o github\`, \`-o json\` | for people; as workflow commands, which GitHub shows at the line; for programs |
| \`--strict\` | warnings fail as well |
| \`--allow-none\` | do not fail without any ScaledObject or ScaledJob |

An **error** is refused by KEDA, Kubernetes or the scaler, or has no effect. A **warning** works, but probably not as intended.

| exit code | |
| --- | --- |
| 0 | nothing is wrong, or there are only warnings |
| 2 | errors (with \`--strict\` also warnings), an unreadable file, or nothing to check |

Limits: 5 MB and 5,000 objects for each file, 100 aliases for each object. Render templates first.

Without \`--config\`, connections are not checked, and the last line counts those triggers. The same holds for triggers with \`…FromEnv\`. \`--config\`
alone checks a configuration before a rollout. Where its secrets are not, such as on a laptop, a missing or unreadable file, or a missing
variable, is only a warning. Triggers are then checked against the names, \`source\` and \`namespaces\` of connections, but not against their
other settings.

## What it says

Each row changes one thing in a correct manifest. The configuration has the connections \`orders\` (for namespace \`shop\`) and \`payments\`
(for \`bank\`). A test runs every row.

${table(['mistake', '', 'what `validate` says'], rows)}

## In a pull request

Add \`--config\` if the configuration is in the repository. GitHub shows ten errors and ten warnings; the log has all.

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

Exclude templates of charts: \`exclude: ^charts/\`.

## JSON

\`-o json\` prints one object:

| key | |
| --- | --- |
| \`faults\` | a list of \`file\`, \`line\` (from 1), \`where\` (the object and trigger; empty for the file), \`message\`, \`severity\` (\`error\` or \`warning\`) |
| \`files\`, \`scaledObjects\`, \`scaledJobs\` | how many were read |
| \`triggers\` | triggers of this scaler |
| \`otherTriggers\`, \`otherObjects\` | how many were skipped |
| \`skippedFiles\` | files of folders without \`apiVersion\` and \`kind\` |
| \`leftOpen\` | triggers whose connection is unknown |
`;

export async function validatePage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'backlog-scaler-docs-'));
  try {
    const file = join(folder, 'backlog-scaler.yaml');
    writeFileSync(file, rightConfig);
    const loaded = await loadConfig(file, { environment: {}, sources });
    if (loaded.kind === 'refused') throw new Error(loaded.faults.map(({ message }) => message).join('\n'));
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
