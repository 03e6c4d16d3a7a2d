// Writes into the chart what only a release knows: the addresses of its image and runbooks, and the texts for Artifact
// Hub.
//
//   node scripts/release-chart.mjs --image REGISTRY/REPOSITORY --source URL [--root DIRECTORY]
//
// The image becomes the default in the chart's values, so that the published chart needs no values to install.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse, parseDocument, stringify } from 'yaml';
import { changesIn, newestEntry } from './changelog.mjs';

const { values: options } = parseArgs({
  options: {
    image: { type: 'string', default: '' },
    source: { type: 'string', default: '' },
    root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
  },
});
const [, registry, repository] = /^([^/]+)\/(.+)$/.exec(options.image) ?? [];
if (registry === undefined || options.source === '') {
  console.error('give --image REGISTRY/REPOSITORY and --source URL');
  process.exit(1);
}

const version = parse(read('deploy/helm/backlog-scaler/Chart.yaml')).version;
edit('deploy/helm/backlog-scaler/values.yaml', (values) => {
  values.setIn(['image', 'registry'], registry);
  values.setIn(['image', 'repository'], repository);
  values.setIn(['prometheusRule', 'runbooks'], `${options.source}/blob/v${version}`);
});
edit('deploy/helm/backlog-scaler/Chart.yaml', (chart) => {
  const image = `${options.image}:${version}`;
  const { notes } = newestEntry(read('CHANGELOG.md'));
  chart.set('home', options.source);
  chart.set('sources', [options.source]);
  annotate(chart, 'images', [{ name: chart.get('name'), image }]);
  annotate(chart, 'changes', changesIn(notes));
});

function annotate(chart, name, value) {
  chart.setIn(['annotations', `artifacthub.io/${name}`], stringify(value));
}

function edit(path, change) {
  const document = parseDocument(read(path));
  change(document);
  writeFileSync(join(options.root, path), document.toString({ lineWidth: 0 }));
}

function read(path) {
  return readFileSync(join(options.root, path), 'utf8');
}
