// Rules for every operation of the document, for Redocly CLI. xtask checks the same rules with another reader of YAML;
// two independent readers find more mistakes than one.

const EXTENSIONS = {
  'x-ideogram-billing': value => value === 'paid' || value === 'free',
  'x-ideogram-retry': value => value === 'safe' || value === 'unsafe',
  // A number of images, or the request property that has it; nested names are joined by a dot.
  'x-ideogram-images': value =>
    (Number.isInteger(value) && value >= 0) || (typeof value === 'string' && /^[a-z_]+(\.[a-z_]+)?$/.test(value)),
};

const extensions = () => ({
  Operation(operation, { report, location }) {
    for (const [extension, isValid] of Object.entries(EXTENSIONS)) {
      if (!(extension in operation)) {
        report({ message: `\`${operation.operationId}\` lacks \`${extension}\`.`, location: location.key() });
      } else if (!isValid(operation[extension])) {
        report({
          message: `\`${operation[extension]}\` is not a value of \`${extension}\`.`,
          location: location.child([extension]),
        });
      }
    }
  },
});

const oneTag = () => ({
  Operation(operation, { report, location }) {
    if (operation.tags?.length !== 1) {
      report({ message: `\`${operation.operationId}\` must have exactly one tag.`, location: location.key() });
    }
  },
});

const responseHasExample = () => ({
  Operation(operation, { report, location }) {
    const response = operation.responses?.['200']?.content?.['application/json'];
    if (response?.example === undefined) {
      report({
        message: `The 200 response of \`${operation.operationId}\` has no example.`,
        location: location.child(['responses']),
      });
    }
  },
});

export default () => ({
  id: 'ideogram',
  rules: { oas3: { extensions, 'one-tag': oneTag, 'response-has-example': responseHasExample } },
});
