/** The kinds of objects that the adapter touches, and where they live. */
export interface Kind {
  apiVersion: string;
  kind: string;
  plural: string;
}

const of = (apiVersion: string, kind: string, plural: string): Kind => ({ apiVersion, kind, plural });

export const CONFIG_MAP = of('v1', 'ConfigMap', 'configmaps');
export const SECRET = of('v1', 'Secret', 'secrets');
export const SERVICE = of('v1', 'Service', 'services');
export const SERVICE_ACCOUNT = of('v1', 'ServiceAccount', 'serviceaccounts');
export const VOLUME_CLAIM = of('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims');
export const POD = of('v1', 'Pod', 'pods');
export const NAMESPACE = of('v1', 'Namespace', 'namespaces');
export const DEPLOYMENT = of('apps/v1', 'Deployment', 'deployments');
export const PROJECT = of('project.openshift.io/v1', 'Project', 'projects');
export const PROJECT_REQUEST = of('project.openshift.io/v1', 'ProjectRequest', 'projectrequests');
export const IMAGE_STREAM = of('image.openshift.io/v1', 'ImageStream', 'imagestreams');
export const IMAGE_STREAM_TAG = of('image.openshift.io/v1', 'ImageStreamTag', 'imagestreamtags');
export const IMAGE_STREAM_IMAGE = of('image.openshift.io/v1', 'ImageStreamImage', 'imagestreamimages');
export const BUILD_CONFIG = of('build.openshift.io/v1', 'BuildConfig', 'buildconfigs');
export const BUILD = of('build.openshift.io/v1', 'Build', 'builds');
export const ROUTE = of('route.openshift.io/v1', 'Route', 'routes');
export const TEMPLATE = of('template.openshift.io/v1', 'Template', 'templates');
export const PROCESSED_TEMPLATE = of('template.openshift.io/v1', 'Template', 'processedtemplates');
export const ACCESS_REVIEW = of('authorization.k8s.io/v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews');
export const USER = of('user.openshift.io/v1', 'User', 'users');
export const INGRESS_CONFIG = of('config.openshift.io/v1', 'Ingress', 'ingresses');

/** The group, empty for the core one. */
export function groupOf(kind: Kind): string {
  return kind.apiVersion.includes('/') ? (kind.apiVersion.split('/')[0] ?? '') : '';
}

/** Path of a collection, or of one object, or of its subresource. Without namespace: cluster-wide. */
export function pathOf(kind: Kind, namespace?: string, name?: string, subresource?: string): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const parts = [
    namespace === undefined ? [] : ['namespaces', namespace],
    kind.plural,
    name ?? [],
    subresource ?? [],
  ].flat();
  return `${root}/${parts.map(encodeURIComponent).join('/')}`;
}
