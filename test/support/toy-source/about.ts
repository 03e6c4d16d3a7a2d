import type { About } from '../../../src/sources/source.ts';

export const linesAbout: About = {
  measures: 'the lines that wait in a file',
  leastStaleness: 'three times `activeReadMs` of lines',
  hint: "the file's name, as in `orders.txt`",
  reaches: 'no network: a volume with the files',
  afterRestart: 'the first look at the file',
  oldest: { since: 'never: a line has no time', tooSmallBy: '' },
  jobs: {
    default: 'lines that workers delete when they are done',
    accurate: 'lines that workers delete first',
  },
};
