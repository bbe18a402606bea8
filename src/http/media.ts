/** Without a charset: the Accords client compares the whole string. */
export const XML_TYPE = 'application/xml';
export const JSON_TYPE = 'application/json';
