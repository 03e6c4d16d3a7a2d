/** What the AWS SDK has to say goes nowhere: its faults come as errors, and its advice is for who builds us. */
export const silentSdkLog = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
};
