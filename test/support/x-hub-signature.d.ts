declare module 'x-hub-signature' {
  export default class XHubSignature {
    constructor(algorithm: string, secret: string);
    sign(requestBody: string | Uint8Array): string;
    verify(expectedSignature: string, requestBody: string | Uint8Array): boolean;
  }
}
