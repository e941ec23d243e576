/** Who a connection to Redis authenticates as. Shape: no `password` = do not authenticate; no `user` = the default
 *  user, with the one-argument form of AUTH. */
export interface Credentials {
  user: string | Buffer | undefined;
  password: string | Buffer | undefined;
}

/** Asked at every connect, so that a rotated password file is read again without a restart.
 *  Errors: throws when the file cannot be read; the connect attempt fails with that text and is retried. */
export type CredentialSource = () => Credentials;

/** HELLO with its AUTH option when there is a password. HELLO is permitted to every user. Shape: arguments for
 *  `encodeRequest`. */
export function helloArguments(proto: 2 | 3, credentials: Credentials): (string | Buffer)[] {
  if (credentials.password === undefined) return ['HELLO', String(proto)];
  return ['HELLO', String(proto), 'AUTH', credentials.user ?? 'default', credentials.password];
}
