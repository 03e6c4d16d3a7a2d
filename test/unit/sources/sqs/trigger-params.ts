import { givenValues, type Metadata, parseParams } from '../../../../src/params/parse.ts';
import { type SqsParams, sqsParams } from '../../../../src/sources/sqs/params.ts';

/** The parameters of a trigger with this metadata. Throws its faults. */
export function paramsOf(metadata: Metadata = {}): SqsParams {
  const { params, faults } = parse(metadata);
  if (faults.length > 0) throw new Error(faults.join('; '));
  return params;
}

export function faultsOf(metadata: Metadata): string[] {
  return parse(metadata).faults;
}

function parse(metadata: Metadata) {
  return parseParams(sqsParams, givenValues({ queueURL: 'jobs', ...metadata }));
}
