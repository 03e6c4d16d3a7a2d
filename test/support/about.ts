import type { About } from '../../src/sources/source.ts';

/** Of a source that no page is about. */
export const about: About = {
  measures: '',
  leastStaleness: '',
  hint: '',
  reaches: '',
  afterRestart: '',
  oldest: { since: '', tooSmallBy: '' },
  jobs: { default: '', accurate: '' },
};
