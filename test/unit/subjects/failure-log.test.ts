import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { FailureLog } from '../../../src/subjects/failure-log.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';

function failureLog() {
  const lines: string[] = [];
  const said = (level: string) => (fields: object) => lines.push(`${level} ${JSON.stringify(fields)}`);
  return { lines, failures: new FailureLog({ ...silentLogger, warn: said('warn'), info: said('info') }) };
}

const refused = new ScalerError('unavailable', 'the login is refused');
const gone = new ScalerError('not_found', 'topic "a" does not exist');

describe('failures of a connection', () => {
  it('are logged once for a reason, however many subjects and reads fail', () => {
    const { lines, failures } = failureLog();
    for (let read = 0; read < 3; read += 1) for (const key of ['a', 'b', 'c']) failures.failed(key, refused);
    expect(lines).toEqual(['warn {"subject":"a","code":"unavailable","error":"the login is refused"}']);
  });

  it('end when the last subject is read again', () => {
    const { lines, failures } = failureLog();
    for (const key of ['a', 'b']) failures.failed(key, refused);
    failures.recovered('a');
    failures.recovered('a');
    expect(lines).toHaveLength(1);
    failures.recovered('b');
    expect(lines[1]).toBe('info {"error":"the login is refused","subjects":2,"reads":2}');
    failures.failed('a', refused);
    expect(lines).toHaveLength(3);
  });

  it('for another reason are logged again', () => {
    const { lines, failures } = failureLog();
    failures.failed('a', refused);
    failures.failed('a', gone);
    failures.failed('a', gone);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['warn', 'info', 'warn']);
  });

  it('do not end when the scaler drains: nothing is logged for a closed subject', () => {
    const { lines, failures } = failureLog();
    for (const key of ['a', 'b']) failures.failed(key, refused);
    for (const key of ['a', 'b']) failures.forget(key);
    expect(lines).toHaveLength(1);
  });

  it('name a subject for people', () => {
    const { lines, failures } = failureLog();
    failures.failed(JSON.stringify(['order-workers', ['orders', 'returns'], '', 'readUncommitted']), refused);
    expect(lines[0]).toContain('"subject":"order-workers orders returns readUncommitted"');
  });

  it('leave nothing behind', () => {
    const { lines, failures } = failureLog();
    failures.recovered('never failed');
    expect(lines).toEqual([]);
  });
});

describe('a remark of a source', () => {
  it('is logged once for each subject, until it changes or ends', () => {
    const said: string[] = [];
    const failures = new FailureLog({ ...silentLogger, warn: (_, message) => said.push(message) });
    for (const text of ['lost', 'lost', 'lost more', undefined, 'lost more']) failures.caution('a', text);
    failures.caution('b', 'lost more');
    expect(said).toEqual(['lost', 'lost more', 'lost more', 'lost more']);
    failures.forget('b');
    failures.caution('b', 'lost more');
    expect(said).toHaveLength(5);
  });
});
