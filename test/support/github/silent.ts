const nothing = (): void => {};

/** For Octokit, which else says every refusal on the console. */
export const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
