import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { type Operation, type Parameter, slice } from './openapi-slice.ts';

/** The checks for requests and answers of an operation in GitHub's description, compiled. */
export interface Compiled {
  readonly operation: string;
  readonly path: RegExp;
  readonly parameters: ReadonlyMap<string, Check>;
  readonly required: readonly string[];
  readonly responses: ReadonlyMap<string, Check | null>;
}

/** What is wrong with a value, in words. Undefined if nothing is. */
export type Check = (value: unknown) => string | undefined;

// GitHub's description is not strict JSON Schema: a type may be missing beside its properties.
const ajv = new Ajv({ strict: false, allErrors: true, allowUnionTypes: true });
formats.default(ajv);
ajv.addFormat('int64', { type: 'number', validate: Number.isSafeInteger });
ajv.addSchema({ $id: 'github', definitions: slice.definitions });

export const basicError = compile({ $ref: '#/definitions/basic-error', required: ['message'] });

export const operations: readonly Compiled[] = Object.entries(slice.operations).map(([name, operation]) => {
  const [method = '', template = ''] = name.split(' ');
  return {
    operation: name,
    path: new RegExp(`^${method} ${template.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
    parameters: new Map(operation.parameters.map((each) => [each.name, parameterCheck(each)])),
    required: operation.parameters.filter((each) => each.required).map((each) => each.name),
    responses: responsesOf(operation),
  };
});

function responsesOf({ responses }: Operation): Map<string, Check | null> {
  return new Map(
    Object.entries(responses).map(([status, schema]) => [status, schema === null ? null : compile(schema)]),
  );
}

/** A query is text, so a number in it consists of digits. */
function parameterCheck({ name, schema }: Parameter): Check {
  // Its description allows GitHub's search syntax for dates, but its format does not.
  const check = compile(name === 'created' ? { type: 'string' } : schema);
  const numeric = schema['type'] === 'integer' || schema['type'] === 'number';
  return (value) => {
    const typed = numeric && typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    // Only the text of the description says so.
    if (name === 'per_page' && Number(typed) > 100) return 'is more than 100';
    return check(typed);
  };
}

function compile(schema: object): Check {
  const validate: ValidateFunction = ajv.compile(rebased(schema));
  return (value) => (validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: '' }));
}

/** Components are in a schema of their own. */
function rebased(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', '"github#/definitions/'));
}
