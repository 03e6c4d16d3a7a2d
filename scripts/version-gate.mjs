// Checks that a release has the same version everywhere:
//
//   node scripts/version-gate.mjs [TAG] [--root DIRECTORY]
//
// With a tag (`v1.2.3`), the newest entry of the changelog must have that version too, and is printed for the release
// notes. Prints every difference on stderr, and exits with 1 if any.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { newestEntry } from './changelog.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) } },
});
const tag = positionals[0];
const read = (path) => readFileSync(join(values.root, path), 'utf8');

const { version } = JSON.parse(read('package.json'));
const chart = parse(read('deploy/helm/backlog-scaler/Chart.yaml'));
const listing = parse(read('deploy/artifacthub/artifacthub-pkg.yml'));
const entry = newestEntry(read('CHANGELOG.md'));

const faults = [
  fault('deploy/helm/backlog-scaler/Chart.yaml has the version', chart.version),
  fault('deploy/helm/backlog-scaler/Chart.yaml has the appVersion', chart.appVersion),
  fault('deploy/artifacthub/artifacthub-pkg.yml has the version', listing.version),
];
if (tag !== undefined) {
  faults.push(fault('the tag is', tag, `v${version}`));
  faults.push(fault('the newest entry of CHANGELOG.md is', entry?.version));
  if (entry?.unreleased)
    faults.push('CHANGELOG.md has changes under "Unreleased": they belong to this release');
  if (entry?.notes === '') faults.push(`CHANGELOG.md says nothing under ${entry.version}`);
}

const found = faults.filter((one) => one !== undefined);
for (const one of found) console.error(one);
if (found.length > 0) process.exitCode = 1;
else if (tag !== undefined) console.log(entry.notes);

function fault(what, is, wanted = version) {
  return is === wanted ? undefined : `${what} ${is ?? 'missing'}; with package.json it would be ${wanted}`;
}
