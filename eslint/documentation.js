/**
 * Rules about the documentation of libraries: what they export has a doc comment, and their `index.ts` begins with a
 * paragraph about the library.
 */

/** @import { AST, Rule, SourceCode } from 'eslint' */
/** @import ts from 'typescript' */

/**
 * What the rules read of a node. ESLint's own types do not know the syntax of TypeScript.
 *
 * @typedef {object} Syntax
 * @property {string} type
 * @property {[number, number]} range
 * @property {string} [name] - of an identifier
 * @property {string} [kind] - of a method: constructor, get, set or method
 * @property {'public' | 'protected' | 'private'} [accessibility]
 * @property {Syntax} [key] - the name of a member
 * @property {Syntax[]} [decorators]
 * @property {Syntax | null} [declaration] - what is exported
 * @property {Syntax[]} [declarations] - of a `const` statement
 * @property {Syntax[]} [specifiers] - of `export { … }`
 * @property {Syntax} [local] - the name of what such a specifier exports
 * @property {Syntax | null} [source] - where it is exported from, if that is another module
 * @property {Syntax | null} [id] - the name of a declaration
 * @property {{ body: Syntax[] }} [body] - of a class
 */

/**
 * What the parser of TypeScript adds to the syntax tree.
 *
 * @typedef {object} TypeServices
 * @property {ts.Program} program
 * @property {{ get(node: Syntax): ts.ClassDeclaration }} esTreeNodeToTSNodeMap
 */

const MIN_INTRODUCTION_CHARACTERS = 80;

/** @param {Rule.RuleContext['sourceCode']['ast']} program */
const statementsOf = (program) => /** @type {Syntax[]} */ (/** @type {unknown} */ (program.body));

/**
 * The text of a doc comment without its marks, or undefined if a comment is another one.
 *
 * @param {{ type: string, value: string }} comment
 */
const docText = ({ type, value }) =>
  type === 'Block' && value.startsWith('*')
    ? value.replaceAll(/^[ \t]*\*+/gm, '').trim()
    : undefined;

/**
 * Whether a doc comment precedes a node and its decorators, without a blank line after it.
 *
 * @param {SourceCode} sourceCode
 * @param {Syntax} node
 * @param {Syntax[]} decorators
 */
function isDocumented(sourceCode, node, decorators) {
  const start = Math.min(...[node, ...decorators].map(({ range }) => range[0]));
  const token = /** @type {AST.Token} */ (sourceCode.getTokenByRangeStart(start));
  const doc = sourceCode.getCommentsBefore(token).findLast((comment) => docText(comment));
  if (doc?.range === undefined) {
    return false;
  }
  return !/\n\s*\n/.test(sourceCode.text.slice(doc.range[1], start));
}

/** @param {Syntax} declaration */
const namesOf = ({ id, declarations }) =>
  declarations?.map((declarator) => declarator.id?.name ?? 'The declaration') ?? [
    id?.name ?? 'The declaration',
  ];

/**
 * @param {Syntax} statement
 * @param {string | undefined} name
 */
const declares = (statement, name) =>
  name !== undefined &&
  (statement.id ?? statement.declarations) &&
  namesOf(statement).includes(name);

/**
 * The specifiers of `export { … }`, unless they export from another module.
 *
 * @param {Syntax} statement
 */
const localExportsOf = ({ type, source, specifiers = [] }) =>
  type === 'ExportNamedDeclaration' && !source ? specifiers : [];

/** @param {Syntax} member */
const isPublic = ({ accessibility = 'public', key }) =>
  accessibility === 'public' && key?.type !== 'PrivateIdentifier';

/**
 * Whether a member of a class comes from an interface or a base class, so that it inherits a doc comment.
 *
 * @param {SourceCode} sourceCode
 * @param {Syntax} declaration - of the class
 * @param {string} name - of the member
 */
function isInherited(sourceCode, declaration, name) {
  const services = /** @type {TypeServices} */ (sourceCode.parserServices);
  const checker = services.program.getTypeChecker();
  const { heritageClauses = [] } = services.esTreeNodeToTSNodeMap.get(declaration);
  return heritageClauses
    .flatMap(({ types }) => types)
    .some((type) => checker.getTypeAtLocation(type).getProperty(name) !== undefined);
}

/**
 * Every exported declaration and every public member of an exported class has a doc comment. Three kinds of members
 * need none: constructors, which the comment of their class covers; what an interface or a base class declares, where its
 * comment is; and a second accessor or overload of the same name.
 *
 * @type {Rule.RuleModule}
 */
const documentedExports = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { undocumented: '{{ name }} is exported without a doc comment.' },
  },
  create(context) {
    const { sourceCode } = context;

    /**
     * @param {Syntax} node
     * @param {string} name
     */
    const report = ({ range }, name) => {
      const loc = {
        start: sourceCode.getLocFromIndex(range[0]),
        end: sourceCode.getLocFromIndex(range[1]),
      };
      context.report({ loc, messageId: 'undocumented', data: { name } });
    };

    /** @param {Syntax} declaration - of a class */
    const checkMembers = (declaration) => {
      const seen = new Set();
      for (const member of declaration.body?.body ?? []) {
        const name = member.key?.name;
        if (name === undefined || seen.has(name) || member.kind === 'constructor') {
          continue;
        }
        seen.add(name);
        const needsDoc = isPublic(member) && !isInherited(sourceCode, declaration, name);
        if (needsDoc && !isDocumented(sourceCode, member, member.decorators ?? [])) {
          report(member.key ?? member, `${namesOf(declaration)[0]}.${name}`);
        }
      }
    };

    /** Names that have been checked: further overloads need no comment. */
    const seen = new Set();

    /**
     * @param {Syntax} statement - begins with the declaration or with `export`
     * @param {Syntax} declaration
     */
    const check = (statement, declaration) => {
      const names = namesOf(declaration).filter((name) => !seen.has(name));
      names.forEach((name) => seen.add(name));
      if (names.length === 0) {
        return;
      }
      if (!isDocumented(sourceCode, statement, declaration.decorators ?? [])) {
        report(declaration.id ?? statement, names.join(', '));
      }
      if (declaration.type === 'ClassDeclaration') {
        checkMembers(declaration);
      }
    };

    return {
      Program(program) {
        const statements = statementsOf(program);
        for (const statement of statements) {
          if (statement.declaration) {
            check(statement, statement.declaration);
          }
          for (const { local } of localExportsOf(statement)) {
            const declaration = statements.find((other) => declares(other, local?.name));
            if (declaration !== undefined) {
              check(declaration, declaration);
            }
          }
        }
      },
    };
  },
};

/**
 * The `index.ts` of a library begins with a doc comment of at least a paragraph, which says what the library is for.
 *
 * @type {Rule.RuleModule}
 */
const introduction = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      missing: `index.ts must begin with a doc comment of at least ${MIN_INTRODUCTION_CHARACTERS} characters about the library.`,
    },
  },
  create(context) {
    return {
      Program(program) {
        const [first] = context.sourceCode.getAllComments();
        const isFirst = first?.range?.[0] === 0;
        const text = first === undefined ? undefined : docText(first);
        if (!isFirst || text === undefined || text.length < MIN_INTRODUCTION_CHARACTERS) {
          context.report({ node: program, loc: { line: 1, column: 0 }, messageId: 'missing' });
        }
      },
    };
  },
};

export const documentation = {
  meta: { name: 'documentation' },
  rules: { 'documented-exports': documentedExports, introduction },
};
