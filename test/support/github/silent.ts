const nothing = (): void => {};

/** For Octokit, which otherwise prints every refusal on the console. */
export const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
