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
backlog-scaler validate --config values.yaml -f deploy/
kubectl get scaledobjects,scaledjobs -A -o yaml | backlog-scaler validate -f -
helm template my-chart | backlog-scaler validate -f - -o github
\`\`\`

[How to run \`backlog-scaler\`](../README.md#the-commands). No cluster, broker or cloud is needed.

\`validate\` checks ScaledObjects and ScaledJobs with the code of the running scaler, and reports each fault with file and line. It also finds what KEDA
refuses or silently ignores.

| option | meaning |
| --- | --- |
| \`-f FILE\`, \`-f DIR\` | YAML or JSON, also lists of \`kubectl get\`; \`-\` is standard input. \`-f\` itself may be left out, as by pre-commit. Of a folder, every \`*.yaml\` and \`*.yml\` with a ScaledObject or ScaledJob, without hidden folders and \`node_modules\` |
| \`--config FILE\` | the chart's values, or the scaler's configuration, alone or with \`-f\`; \`-\` is standard input. It is checked, and triggers against it |
| \`-n NAME\` | the namespace of objects without one |
| \`-o text\`, \`-o github\`, \`-o json\` | for people; as workflow commands (GitHub shows ten errors and ten warnings); for programs |
| \`--strict\` | warnings fail as well |
| \`--allow-none\` | do not fail without any ScaledObject or ScaledJob |

An **error** is refused by KEDA, Kubernetes or the scaler, or has no effect. A **warning** works, but probably not as intended. The exit code is 2 with errors,
an unreadable file, or nothing to check.

- Render templates first. A file has at most 5 MB and 5,000 objects, an object 100 aliases.
- Connections are not checked without \`--config\`, or for triggers with \`…FromEnv\`. The last line counts those triggers.
- Last lines *Left open* name what only the cluster has: Secrets of the chart and of pods with their keys, TriggerAuthentications, variables. That is no
  fault, also with \`--strict\`. Where secrets of \`--config\` are missing, triggers are checked against \`source\` and \`namespaces\` of connections only.
- It refuses what the chart refuses: secrets in plain text, several pods where one is needed, ports or mounts that clash, unknown keys at the top. The
  types of the chart's other values only \`helm template\` checks.
- It warns of what is left of an example, a webhook secret or token without \`ingest.enabled\`, a file that nothing mounts, a host outside its certificates.
- It warns of a connection without \`namespaces\` beside one of the same brokers or account with some, and of one login for connections of other
  namespaces.

## What it says

The configuration has the connections \`orders\` (for namespace \`shop\`) and \`payments\` (for \`bank\`).

${table(['mistake', '`validate` says'], rows)}

## In a pull request

\`\`\`yaml
- run: docker run --rm -v "$PWD:/work" -w /work registry.example.com/backlog-scaler:0.1.0 validate -f deploy -o github
\`\`\`

As a hook of [pre-commit](https://pre-commit.com) (for templates of charts: \`exclude: ^charts/\`):

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

## JSON

\`-o json\` prints one object:

| key | |
| --- | --- |
| \`faults\` | a list of \`file\`, \`line\` (from 1), \`where\` (object and trigger), \`message\`, \`severity\` (\`error\` or \`warning\`) |
| \`files\`, \`scaledObjects\`, \`scaledJobs\`, \`triggers\` | how many were checked |
| \`otherTriggers\`, \`otherObjects\`, \`skippedFiles\` | how many were skipped |
| \`leftOpen\` | triggers whose connection is unknown |
| \`needs\` | Secrets and TriggerAuthentications that these files lack: a list of \`kind\`, \`namespace\`, \`name\`, \`keys\` |
| \`notHere\` | files of secrets and variables that the configuration names and that are not on this machine: a list of \`file\`, \`line\`, \`message\`, with the chart's values \`secret\` |
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
  if (before.split('\n').includes(shown)) return [mistake.mistake, `${severity}: ${beginning(message)}`];
  const [, key = '', rest = message] = /^"?([\w.]+)"?: (.*)$/.exec(message) ?? [];
  const said = shown.includes(`${key.split('.').at(-1)}:`) ? rest : message;
  return [`\`${shown.trim()}\``, `${severity}: ${beginning(said)}`];
}

/** At least four words, up to a stop. */
function beginning(message: string): string {
  const stops = [...message.matchAll(/[:;.] (?![^{]*\})| \(|, (?:so|such|which|where|with)\b/g)].map(
    ({ index }) => message.slice(0, index),
  );
  return stops.find((before) => (before.match(/[a-z]{2,}/gi)?.length ?? 0) >= 4) ?? message;
}
