// Node runs TypeScript directly since 22.18. `npm ci` installs its own Node for Linux and Intel Macs.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Node 22.18 or later is needed, and this is ${process.versions.node}. npm ci brings Node 24 for Linux ` +
      '(x64 and arm64) and Intel Macs: run it, and start commands with npm run. Elsewhere install Node 24.',
  );
  process.exit(1);
}
