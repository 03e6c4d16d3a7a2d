/** The newest entry with a version, and whether anything unreleased stands above it. */
export function newestEntry(changelog) {
  const [, ...sections] = changelog.split(/^## /m);
  const text = (section) => section.slice(section.indexOf('\n') + 1).trim();
  const index = sections.findIndex((section) => /^\[?\d/.test(section));
  const version = /^\[?(\d[^\]\s]*)/.exec(sections[index] ?? '')?.[1];
  const above = index === -1 ? sections : sections.slice(0, index);
  return { version, notes: text(sections[index] ?? ''), unreleased: above.some((one) => text(one) !== '') };
}

/** The changes in an entry, each on one line with its heading (`added`, `fixed`, …). */
export function changesIn(notes) {
  return notes.split(/^### /m).flatMap((section) => {
    const [heading = '', ...items] = section.split(/^- /m);
    return items.map((item) => ({
      kind: heading.trim().toLowerCase(),
      description: item.trim().replaceAll(/\s+/g, ' '),
    }));
  });
}
