// Cuts GitHub's OpenAPI description down to the requests of this project, for the oracle of the tests.
//
//   npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
//   node scripts/github-openapi.mjs package/generated/api.github.com.json
//   npm run format
import { readFileSync, writeFileSync } from 'node:fs';

const target = new URL('../test/support/github/openapi-slice.json', import.meta.url);

const asked = [
  'GET /repos/{owner}/{repo}',
  'GET /repos/{owner}/{repo}/actions/runs',
  'GET /repos/{owner}/{repo}/actions/runs/{run_id}',
  'GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs',
  'GET /repos/{owner}/{repo}/actions/jobs/{job_id}',
  'GET /orgs/{org}/repos',
  'GET /users/{username}/repos',
  'GET /user/repos',
  'GET /installation/repositories',
  'GET /orgs/{org}/installation',
  'GET /users/{username}/installation',
  'GET /app/installations/{installation_id}',
  'POST /app/installations/{installation_id}/access_tokens',
  'GET /app/hook/deliveries',
  'POST /app/hook/deliveries/{delivery_id}/attempts',
  'GET /rate_limit',
];

/** Keywords that a JSON Schema validator uses. `properties` and `definitions` contain names, not keywords. */
const keywords = new Set([
  '$ref',
  'type',
  'format',
  'enum',
  'items',
  'required',
  'additionalProperties',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
]);

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('Usage: node scripts/github-openapi.mjs api.github.com.json');
  process.exit(2);
}
const description = JSON.parse(readFileSync(path, 'utf8'));
const definitions = {};
const operations = {};
for (const operation of asked) operations[operation] = slice(operation);
const version = description.info.version;
writeFileSync(target, `${JSON.stringify({ version, operations, definitions }, null, 2)}\n`);

function slice(operation) {
  const [method, template] = operation.split(' ');
  const found = description.paths[template]?.[method.toLowerCase()];
  if (found === undefined) throw new Error(`${operation} is not in ${path}.`);
  const parameters = (found.parameters ?? []).map(resolved).map(({ name, in: where, required, schema }) => ({
    name,
    in: where,
    required: required === true,
    schema: jsonSchema(schema),
  }));
  const responses = {};
  for (const [status, response] of Object.entries(found.responses)) {
    const schema = resolved(response).content?.['application/json']?.schema;
    responses[status] = schema === undefined ? null : jsonSchema(schema);
  }
  return { parameters, responses };
}

function resolved(node) {
  if (node.$ref === undefined) return node;
  const [, ...names] = node.$ref.split('/');
  return names.reduce((at, name) => at[name], description);
}

/** A schema of OpenAPI 3.0 as JSON Schema, where `nullable` becomes a type. */
function jsonSchema(schema) {
  if (schema.$ref !== undefined) return { $ref: define(schema.$ref.split('/').at(-1)) };
  const out = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') out.properties = mapped(value);
    else if (keywords.has(key)) out[key] = keyword(value);
  }
  return schema.nullable === true ? orNull(out) : out;
}

function keyword(value) {
  if (Array.isArray(value))
    return value.map((each) => (typeof each === 'object' && each !== null ? jsonSchema(each) : each));
  return typeof value === 'object' && value !== null ? jsonSchema(value) : value;
}

function mapped(properties) {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, jsonSchema(schema)]));
}

function orNull(schema) {
  if (typeof schema.type !== 'string') return { anyOf: [schema, { type: 'null' }] };
  const widened = { ...schema, type: [schema.type, 'null'] };
  if (widened.enum !== undefined && !widened.enum.includes(null)) widened.enum = [...widened.enum, null];
  return widened;
}

/** Copies the component once, and returns its reference. */
function define(name) {
  if (definitions[name] === undefined) {
    definitions[name] = {};
    definitions[name] = jsonSchema(description.components.schemas[name]);
  }
  return `#/definitions/${name}`;
}
