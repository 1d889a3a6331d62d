// What this document promises on every operation, as rules for Redocly CLI. The same promises are house rules of
// ideogram-codegen; two readers of YAML that agree are worth more than one.

const MARKS = {
  'x-ideogram-billing': value => value === 'paid' || value === 'free',
  'x-ideogram-retry': value => value === 'safe' || value === 'unsafe',
  // How many images, or the member of the request that says so, dotted where nested.
  'x-ideogram-images': value =>
    (Number.isInteger(value) && value >= 0) || (typeof value === 'string' && /^[a-z_]+(\.[a-z_]+)?$/.test(value)),
};

const marks = () => ({
  Operation(operation, { report, location }) {
    for (const [mark, isValid] of Object.entries(MARKS)) {
      if (!(mark in operation)) {
        report({ message: `\`${operation.operationId}\` lacks \`${mark}\`.`, location: location.key() });
      } else if (!isValid(operation[mark])) {
        report({
          message: `\`${operation[mark]}\` is no value of \`${mark}\`.`,
          location: location.child([mark]),
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
  rules: { oas3: { marks, 'one-tag': oneTag, 'response-has-example': responseHasExample } },
});
