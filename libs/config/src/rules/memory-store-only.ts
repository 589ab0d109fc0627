import { ValidateBy } from 'class-validator';

/** Refuses a Redis URL as long as sessions can only be kept in memory. Goes with the Redis store. */
export function MemoryStoreOnly(): PropertyDecorator {
  return ValidateBy({
    name: 'memoryStoreOnly',
    validator: {
      validate: (value) => typeof value !== 'string' || !/^rediss?:/.test(value),
      defaultMessage: () => 'must be memory:// (this version has no Redis store yet)',
    },
  });
}
