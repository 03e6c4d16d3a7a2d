/** What the AWS SDK has to say goes nowhere: its faults come as errors, and its advice is for who builds us. */
export const silentSdkLog = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** The SDK's own switch: without it, it writes to standard error when Node 20 makes the first client. */
export function silenceSdkVersionWarning(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
}
