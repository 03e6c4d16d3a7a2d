import { expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { endRead, startRead } from '../../../src/telemetry/tracing.ts';

it('records nothing if no SDK was started before the scaler', () => {
  const span = startRead('kafka', 'orders', 1);
  expect(span.isRecording()).toBe(false);
  endRead(span, 1, new ScalerError('unavailable', 'down'));
});
