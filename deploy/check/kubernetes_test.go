package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// installation is what an overlay makes, read as Kubernetes reads it.
type installation struct {
	pods       map[string]corev1.PodTemplateSpec // by the name of what makes them
	replicas   map[string]int32
	selectors  map[string]*metav1.LabelSelector
	budgets    []policyv1.PodDisruptionBudget
	services   []corev1.Service
	policies   []networkingv1.NetworkPolicy
	configs    []corev1.ConfigMap
	secrets    []corev1.Secret
	namespaces []corev1.Namespace
	claims     map[string][]corev1.PersistentVolumeClaim
}

// build runs kustomize on the overlay, with secrets that a test made, and
// decodes what it gives: a field that Kubernetes doesn't know fails.
func build(t *testing.T) *installation {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../kubernetes")); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(folder, "overlays/example")
	if err := os.MkdirAll(filepath.Join(overlay, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"master.key", "clickhouse.password", "tokens"} {
		if err := os.WriteFile(filepath.Join(overlay, "secrets", name), []byte("of a test"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), overlay)
	if err != nil {
		t.Fatal(err)
	}
	i := &installation{
		pods: map[string]corev1.PodTemplateSpec{}, replicas: map[string]int32{},
		selectors: map[string]*metav1.LabelSelector{}, claims: map[string][]corev1.PersistentVolumeClaim{},
	}
	for _, one := range made.Resources() {
		text, err := one.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, err := decode(text)
		if err != nil {
			t.Errorf("%s: %v", one.CurId(), err)
			continue
		}
		i.add(t, object)
	}
	return i
}

// decode reads one object strictly.
func decode(text []byte) (runtime.Object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, policyv1.AddToScheme, networkingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	object, _, err := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer().Decode(text, nil, nil)
	return object, err
}

func (i *installation) add(t *testing.T, object runtime.Object) {
	t.Helper()
	switch o := object.(type) {
	case *appsv1.Deployment:
		i.pods[o.Name], i.replicas[o.Name], i.selectors[o.Name] = o.Spec.Template, *o.Spec.Replicas, o.Spec.Selector
	case *appsv1.StatefulSet:
		i.pods[o.Name], i.replicas[o.Name], i.selectors[o.Name] = o.Spec.Template, *o.Spec.Replicas, o.Spec.Selector
		i.claims[o.Name] = o.Spec.VolumeClaimTemplates
	case *policyv1.PodDisruptionBudget:
		i.budgets = append(i.budgets, *o)
	case *corev1.Service:
		i.services = append(i.services, *o)
	case *networkingv1.NetworkPolicy:
		i.policies = append(i.policies, *o)
	case *corev1.ConfigMap:
		i.configs = append(i.configs, *o)
	case *corev1.Secret:
		i.secrets = append(i.secrets, *o)
	case *corev1.Namespace:
		i.namespaces = append(i.namespaces, *o)
	case *corev1.ServiceAccount:
	default:
		t.Errorf("nobody checks a %T", object)
	}
}

// TestStrict: a field that is misspelt is refused.
func TestStrict(t *testing.T) {
	right := "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: x}\nspec: {maxUnavailable: 1}\n"
	if _, err := decode([]byte(right)); err != nil {
		t.Error(err)
	}
	if _, err := decode([]byte(strings.Replace(right, "maxUnavailable", "maxUnavailble", 1))); err == nil {
		t.Error("a misspelt field is taken")
	}
}

// TestRoles: the three roles are there, each with its probes, its bounds, and no
// right that it doesn't need.
func TestRoles(t *testing.T) {
	i := build(t)
	for name, port := range map[string]bool{"collector": true, "aggregator": false, "serve": true} {
		template, ok := i.pods[name]
		if !ok {
			t.Errorf("there is no %s", name)
			continue
		}
		checkPod(t, name, &template.Spec)
		if !selects(t, i.selectors[name], template.Labels) || i.replicas[name] < 2 {
			t.Errorf("%s: %d replicas; its selector must fit its own pods", name, i.replicas[name])
		}
		if budgets := slices.DeleteFunc(slices.Clone(i.budgets), func(b policyv1.PodDisruptionBudget) bool { return !selects(t, b.Spec.Selector, template.Labels) }); len(budgets) != 1 || budgets[0].Spec.MaxUnavailable.IntValue() != 1 {
			t.Errorf("%s: %d disruption budgets, want one that lets one go", name, len(budgets))
		}
		if served := slices.ContainsFunc(i.services, func(s corev1.Service) bool { return reaches(&s, &template) }); served != port {
			t.Errorf("%s has a service: %v", name, served)
		}
		checkReferences(t, i, name, &template.Spec)
	}
	if len(i.pods) != 3 || len(i.namespaces) != 1 || i.namespaces[0].Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Errorf("%d roles, namespaces %v", len(i.pods), i.namespaces)
	}
}

func selects(t *testing.T, selector *metav1.LabelSelector, of map[string]string) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return !s.Empty() && s.Matches(labels.Set(of))
}

// reaches is true of a service that leads to a port that the pods have.
func reaches(s *corev1.Service, template *corev1.PodTemplateSpec) bool {
	return labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(template.Labels)) &&
		slices.ContainsFunc(template.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool {
			return s.Spec.Ports[0].TargetPort == intstr.FromString(p.Name)
		})
}

// checkPod holds a pod to Kubernetes' standard "restricted", and to a root that
// nobody can write to.
func checkPod(t *testing.T, name string, p *corev1.PodSpec) {
	t.Helper()
	s := p.SecurityContext
	if !*s.RunAsNonRoot || *s.RunAsUser == 0 || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault ||
		p.HostNetwork || p.HostPID || p.HostIPC || *p.AutomountServiceAccountToken {
		t.Errorf("%s: the pod may do more than it needs", name)
	}
	if len(p.Containers) != 1 {
		t.Fatalf("%s has %d containers", name, len(p.Containers))
	}
	c := p.Containers[0]
	if s := c.SecurityContext; *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
		t.Errorf("%s: the container may do more than it needs", name)
	}
	for path, probe := range map[string]*corev1.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port != intstr.FromString("http") {
			t.Errorf("%s: %s is not asked", name, path)
		}
	}
	request, limit := c.Resources.Requests, c.Resources.Limits
	if request.Cpu().IsZero() || request.Memory().IsZero() || limit.Memory().Cmp(*request.Memory()) < 0 {
		t.Errorf("%s: requests %v, limits %v", name, request, limit)
	}
	if !strings.Contains(c.Image, ":") || strings.HasSuffix(c.Image, ":latest") {
		t.Errorf("%s: image %q has no version", name, c.Image)
	}
}

// checkReferences: what a pod names is there, and secrets reach it as files.
func checkReferences(t *testing.T, i *installation, name string, p *corev1.PodSpec) {
	t.Helper()
	c := p.Containers[0]
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef == nil || !slices.ContainsFunc(i.configs, func(m corev1.ConfigMap) bool { return m.Name == from.ConfigMapRef.Name }) {
			t.Errorf("%s: %v is not there", name, from)
		}
	}
	if len(c.Env) > 0 {
		t.Errorf("%s has variables of its own: %v", name, c.Env)
	}
	var volumes []string
	for _, v := range p.Volumes {
		volumes = append(volumes, v.Name)
		if v.Secret != nil && !slices.ContainsFunc(i.secrets, func(s corev1.Secret) bool { return s.Name == v.Secret.SecretName }) {
			t.Errorf("%s: the secret %s is not there", name, v.Secret.SecretName)
		}
	}
	for _, claim := range i.claims[name] {
		volumes = append(volumes, claim.Name)
	}
	for _, mount := range c.VolumeMounts {
		if !slices.Contains(volumes, mount.Name) {
			t.Errorf("%s: the volume %s is not there", name, mount.Name)
		}
	}
	for _, config := range i.configs {
		for key, value := range config.Data {
			file, isFile := strings.CutPrefix(value, "/run/secrets/rollcall/")
			if isFile && i.secrets[0].Data[file] == nil {
				t.Errorf("%s names %s, which no secret has", key, value)
			}
		}
	}
}

// TestNetwork: every pod is cut off but for what a policy names, which is a port
// of the pods or of an engine, and never everybody.
func TestNetwork(t *testing.T) {
	i := build(t)
	for name, template := range i.pods {
		var cut []networkingv1.PolicyType
		for _, p := range i.policies {
			if selects(t, &p.Spec.PodSelector, template.Labels) && len(p.Spec.Ingress)+len(p.Spec.Egress) == 0 {
				cut = append(cut, p.Spec.PolicyTypes...)
			}
		}
		if !slices.Contains(cut, networkingv1.PolicyTypeIngress) || !slices.Contains(cut, networkingv1.PolicyTypeEgress) {
			t.Errorf("%s is cut off from %v only", name, cut)
		}
	}
	for _, p := range i.policies {
		for _, rule := range p.Spec.Ingress {
			if len(rule.From) == 0 || len(rule.Ports) != 1 || rule.Ports[0].Port.String() != "http" {
				t.Errorf("%s lets in %+v", p.Name, rule)
			}
		}
		for _, rule := range p.Spec.Egress {
			if len(rule.Ports) == 0 {
				t.Errorf("%s lets out to every port", p.Name)
			}
		}
	}
}
