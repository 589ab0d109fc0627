import eslint from '@eslint/js';
import tsdoc from 'eslint-plugin-tsdoc';
import tseslint from 'typescript-eslint';

import { documentation } from './eslint/documentation.js';

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'coverage', '.node26', '.test-programs', '.test-results'] },
  eslint.configs.recommended,
  { rules: { curly: ['error', 'all'] } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { tsdoc },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // The types of Nest's options are classes, but Nest accepts plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/strict-boolean-expressions': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'max-lines': ['error', { max: 300 }],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only load-config.ts reads the environment. Inject RelayConfig instead.',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@nestjs/common',
              importNames: ['forwardRef'],
              message: 'A cycle means that a third module is missing.',
            },
          ],
          patterns: [
            {
              group: ['@relay/*/*', '**/libs/**'],
              message: 'Import a library only through its index.ts.',
            },
          ],
        },
      ],
      'tsdoc/syntax': 'error',
    },
  },
  {
    files: ['libs/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.contract.ts'],
    plugins: { documentation },
    rules: { 'documentation/documented-exports': 'error' },
  },
  {
    files: ['libs/*/src/index.ts'],
    plugins: { documentation },
    rules: { 'documentation/introduction': 'error' },
  },
  {
    files: ['{apps,libs}/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.contract.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.property.name='setHeader']",
          message:
            'If the request fails later, its error response would have this field too. Give it to writeHead.',
        },
      ],
    },
  },
  {
    files: ['libs/config/src/load-config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['test/**/*.ts', '**/*.spec.ts', '**/*.contract.ts', '*.config.ts'],
    rules: {
      'no-console': 'off',
      'no-restricted-properties': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['{bin,demo,eslint,scripts}/**/*.{js,cjs}', '*.js', '*.cjs'],
    languageOptions: {
      globals: {
        AbortSignal: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        clearTimeout: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        module: 'writable',
        process: 'readonly',
        require: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
