import type { TextlintRuleModule } from '@textlint/kernel';
import { SentenceSplitterSyntax, splitAST } from 'sentence-splitter';
import { mostJoints, mostWords, phrases } from './style.ts';

type Text = Parameters<typeof splitAST>[0];
type Part = ReturnType<typeof splitAST>['children'][number];

/** The text to check in a node. Code and addresses count as one word. */
function readable(node: Part | Text): string {
  // Pages quote messages in `*…*`.
  if (node.type === 'Code' || node.type === 'Emphasis') return ' CODE ';
  if (node.type === 'Html' || node.type === 'Image') return ' ';
  if ('children' in node) return node.children.map((child) => readable(child as Part)).join('');
  return 'value' in node && typeof node.value === 'string' ? node.value : '';
}

const blocks = ['Paragraph', 'TableCell', 'Header'] as const;

/**
 * No sentence has more words than `mostWords`, or more colons and semicolons than `mostJoints`. In a table cell the
 * latter may make a list.
 */
export const sentenceLength: TextlintRuleModule = ({ report, RuleError }) => {
  const check = (node: { readonly type: string }): void => {
    for (const sentence of splitAST(node as Text).children) {
      if (sentence.type !== SentenceSplitterSyntax.Sentence) continue;
      // A list of code counts as one word too.
      const text = readable(sentence).replaceAll(/CODE(?:[\s:,]*CODE)+/g, ' CODE ');
      const words = text.match(/[\p{L}\p{N}][\p{L}\p{N}'’.,/_-]*/gu)?.length ?? 0;
      const joints = text.match(/[:;](?=\s)/g)?.length ?? 0;
      const tooMany =
        words > mostWords
          ? `${words} words: at most ${mostWords}`
          : joints > mostJoints && node.type !== 'TableCell'
            ? `${joints} colons and semicolons: at most ${mostJoints}`
            : undefined;
      if (tooMany !== undefined)
        report(sentence as never, new RuleError(`${tooMany}; make it two sentences`));
    }
  };
  return Object.fromEntries(blocks.map((block) => [block, check]));
};

/** No phrase from the list in `style.ts`. Messages quoted in `*…*` are checked in the code instead. */
export const plainPhrases: TextlintRuleModule = ({ report, RuleError }) => {
  const check = (node: object): void => {
    const text = readable(node as Text).replaceAll(/\s+/g, ' ');
    for (const [pattern, instead] of phrases) {
      const found = pattern.exec(text)?.[0];
      if (found !== undefined) report(node as never, new RuleError(`"${found}": write ${instead}`));
    }
  };
  return Object.fromEntries(blocks.map((block) => [block, check]));
};
