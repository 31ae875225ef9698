/** The version of the package: what one version keeps between visits another does not read. */
export const VERSION = '0.1.0';
