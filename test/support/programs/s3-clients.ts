import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { bytesOfSize } from '../http-cases/bodies.js';
import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { fileTree } from './file-tree.js';
import { hasNpmProgram, packageFolder } from './npm-program.js';
import { hasProgram } from '../processes/apt-packages.js';
import { runProgram, runs } from './program.js';
import { hasPythonModule, pythonWith } from './python.js';
import { AWS_KEY } from './s3-server.js';

/** A widely used client of S3. */
export interface S3Client {
  readonly name: string;
  /** Whether it is installed; prints a warning if it is not. */
  readonly isThere: () => boolean;
  /** Stores and reads objects in various ways, and returns what it was told. */
  readonly use: (origin: string) => Promise<unknown>;
}

const SDK = {
  name: 'aws-sdk',
  dependencies: { '@aws-sdk/client-s3': '3.1169.0', '@aws-sdk/s3-request-presigner': '3.1169.0' },
};

const FOLDER = resolve('test/support/programs');

const awsSdk: S3Client = {
  name: 'AWS SDK v3 for JavaScript',
  isThere: () => hasNpmProgram(SDK),
  use: async (origin) => {
    const beside = join(packageFolder(SDK, '@aws-sdk/client-s3'), 'package.json');
    const args = [join(FOLDER, 's3-aws-sdk.mjs'), beside, origin, AWS_KEY.id, AWS_KEY.secret];
    return JSON.parse(await runs('node', args)) as unknown;
  },
};

const boto3: S3Client = {
  name: 'boto3',
  isThere: () => hasPythonModule('boto3'),
  use: async (origin) => {
    const args = [join(FOLDER, 's3_boto3.py'), origin, AWS_KEY.id, AWS_KEY.secret];
    return JSON.parse(await runs(pythonWith('boto3'), args)) as unknown;
  },
};

const rclone: S3Client = {
  name: 'rclone',
  isThere: () => hasProgram(['rclone'], 'rclone', 'version'),
  use: async (origin) => {
    const folder = await temporaryFolder();
    try {
      return await useRclone(origin, folder.path);
    } finally {
      await folder.close();
    }
  },
};

async function useRclone(origin: string, folder: string): Promise<unknown> {
  const config = join(folder, 'none.conf');
  const source = join(folder, 'source');
  await writeFile(config, '');
  await mkdir(join(source, 'deep folder'), { recursive: true });
  await writeFile(join(source, 'large.bin'), bytesOfSize(6 * 1024 * 1024));
  await writeFile(join(source, 'deep folder/ümlaut & more(1).txt'), 'text');
  const env = {
    RCLONE_CONFIG: config,
    RCLONE_RETRIES: '1',
    RCLONE_LOW_LEVEL_RETRIES: '1',
    RCLONE_TRANSFERS: '1',
    RCLONE_CHECKERS: '1',
    RCLONE_S3_PROVIDER: 'Other',
    RCLONE_S3_ENDPOINT: origin,
    RCLONE_S3_REGION: 'eu-central-1',
    RCLONE_S3_ACCESS_KEY_ID: AWS_KEY.id,
    RCLONE_S3_UPLOAD_CUTOFF: '5Mi',
    RCLONE_S3_CHUNK_SIZE: '5Mi',
  };
  const withSecret = (RCLONE_S3_SECRET_ACCESS_KEY: string) => ({
    cwd: folder,
    env: { ...env, RCLONE_S3_SECRET_ACCESS_KEY },
  });
  const options = withSecret(AWS_KEY.secret);
  await runs('rclone', ['mkdir', ':s3:bucket'], options);
  await runs('rclone', ['copy', source, ':s3:bucket/first'], options);
  await runs('rclone', ['copyto', ':s3:bucket/first/large.bin', ':s3:bucket/copy.bin'], options);
  await runs('rclone', ['copy', ':s3:bucket/first', join(folder, 'back')], options);
  const listed = await runs('rclone', ['lsf', '-R', '--format', 'ps', ':s3:bucket'], options);
  const refused = await runProgram('rclone', ['lsf', ':s3:bucket'], withSecret('wrong'));
  return {
    listed: listed.split('\n').sort(),
    back: await fileTree(join(folder, 'back')),
    wrongKey: /SignatureDoesNotMatch/.exec(refused.stderr)?.[0],
  };
}

export const S3_CLIENTS: readonly S3Client[] = [awsSdk, boto3, rclone];
