import type { About } from '../../src/sources/source.ts';

/** For a source without a page. */
export const about: About = {
  measures: '',
  leastStaleness: '',
  hint: '',
  reaches: '',
  afterRestart: '',
  oldest: { since: '', tooSmallBy: '' },
  jobs: { default: '', accurate: '' },
};
