package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// checkChart does what helm lint --strict and helm template do, reads every object that results into the type that
// Kubernetes has for it, unknown members refused, and returns the node's configuration file.
func checkChart(dir, valuesFile string, c *complaints) (string, error) {
	values, err := chartutil.ReadValuesFile(valuesFile)
	if err != nil {
		return "", err
	}
	about := "helm: " + filepath.Base(valuesFile)
	linted := lint.AllWithKubeVersion(dir, values, "bureau", &chartutil.DefaultCapabilities.KubeVersion)
	for _, m := range linted.Messages {
		if m.Severity >= support.WarningSev {
			c.add("%s: %s", about, m.Error())
		}
	}
	if err := noneCopied(dir, c); err != nil {
		return "", err
	}
	ch, err := loader.LoadDir(dir)
	if err != nil {
		return "", err
	}
	if len(ch.Metadata.Dependencies) > 0 {
		c.add("helm: the chart depends on others")
	}
	all, err := chartutil.ToRenderValues(ch, values, chartutil.ReleaseOptions{Name: "jinshan", Namespace: "bureau", Revision: 1, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(ch, all)
	if err != nil {
		return "", err
	}
	o := objects{about: about, c: c}
	for name, text := range files {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for _, doc := range releaseutil.SplitManifests(text) {
			if err := o.read(doc); err != nil {
				c.add("%s: %s: %v", about, name, err)
			}
		}
	}
	return o.judge(), nil
}

// noneCopied finds charts of others inside ours.
func noneCopied(dir string, c *complaints) error {
	_, err := os.Stat(filepath.Join(dir, "charts"))
	switch {
	case err == nil:
		c.add("helm: charts/ holds charts of others")
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// objects are what one set of values makes.
type objects struct {
	about    string
	c        *complaints
	sets     []appsv1.StatefulSet
	pods     []corev1.Pod
	config   []corev1.ConfigMap
	policies []networkingv1.NetworkPolicy
	budgets  []policyv1.PodDisruptionBudget
	claims   []corev1.PersistentVolumeClaim
}

func decode[T any](doc string, into *[]T) error {
	var v T
	if err := yaml.UnmarshalStrict([]byte(doc), &v); err != nil {
		return err
	}
	if into != nil {
		*into = append(*into, v)
	}
	return nil
}

func (o *objects) read(doc string) error {
	var head struct{ Kind string }
	if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
		return err
	}
	switch head.Kind {
	case "StatefulSet":
		return decode(doc, &o.sets)
	case "Pod":
		return decode(doc, &o.pods)
	case "ConfigMap":
		return decode(doc, &o.config)
	case "NetworkPolicy":
		return decode(doc, &o.policies)
	case "PodDisruptionBudget":
		return decode(doc, &o.budgets)
	case "PersistentVolumeClaim":
		return decode(doc, &o.claims)
	case "Service":
		return decode[corev1.Service](doc, nil)
	case "ServiceAccount":
		return decode[corev1.ServiceAccount](doc, nil)
	case "": // a template that made nothing
		return nil
	case "Secret":
		return errors.New("a Secret in the chart: secrets are named, not made")
	}
	return fmt.Errorf("an object of kind %s, which this check does not know", head.Kind)
}

// judge holds the objects to what README says of them, and returns the configuration file.
func (o *objects) judge() string {
	if len(o.sets) != 1 || len(o.config) != 1 || len(o.budgets) != 1 || len(o.claims) != 1 {
		o.c.add("%s: %d StatefulSets, %d ConfigMaps, %d budgets, %d claims; want one of each", o.about, len(o.sets), len(o.config), len(o.budgets), len(o.claims))
		return ""
	}
	set := o.sets[0]
	running := int(*set.Spec.Replicas) + len(o.pods)
	if running != 1 {
		o.c.add("%s: %d pods on one volume", o.about, running)
	}
	for key, value := range set.Spec.Selector.MatchLabels {
		if set.Spec.Template.Labels[key] != value {
			o.c.add("%s: the StatefulSet does not select its own pods: %s", o.about, key)
		}
	}
	node := set.Spec.Template.Spec
	o.pod("node", node)
	for _, p := range o.pods {
		o.pod(p.Name, p.Spec)
	}
	k := node.Containers[0]
	for what, probe := range map[string]*corev1.Probe{"/livez": k.LivenessProbe, "/readyz": k.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil || !strings.HasPrefix(probe.HTTPGet.Path, what) || probe.HTTPGet.Scheme != corev1.URISchemeHTTPS {
			o.c.add("%s: no probe of %s", o.about, what)
		}
	}
	if k.StartupProbe == nil {
		o.c.add("%s: a long first start would be killed", o.about)
	}
	for _, p := range o.policies {
		if len(p.Spec.PolicyTypes) != 2 {
			o.c.add("%s: the policy leaves one direction open", o.about)
		}
		for _, in := range p.Spec.Ingress {
			if len(in.From) == 0 || len(in.Ports) == 0 {
				o.c.add("%s: the policy lets everybody in", o.about)
			}
		}
		for _, out := range p.Spec.Egress {
			if len(out.To) == 0 || len(out.Ports) == 0 {
				o.c.add("%s: the policy lets everything out", o.about)
			}
		}
	}
	text := o.config[0].Data["pilin.yaml"]
	mounts := map[string]bool{}
	for _, v := range node.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			for _, item := range s.Secret.Items {
				mounts["/run/secrets/pilin/"+item.Path] = true
			}
		}
	}
	named(text, func(path string) {
		if strings.HasPrefix(path, "/run/secrets/") && !mounts[path] {
			o.c.add("%s: the configuration names %s, which is not mounted", o.about, path)
		}
	})
	return text
}

// pod holds a pod to what README says of all of them.
func (o *objects) pod(name string, p corev1.PodSpec) {
	bad := func(what string) { o.c.add("%s: %s: %s", o.about, name, what) }
	if s := p.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil {
		bad("may run as root, or without a seccomp profile")
	}
	if p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
		bad("is handed a token of the cluster")
	}
	volumes := map[string]bool{}
	for _, v := range p.Volumes {
		volumes[v.Name] = true
	}
	for _, k := range p.Containers {
		s := k.SecurityContext
		if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil || len(s.Capabilities.Drop) == 0 {
			bad("has rights that it does not need")
		}
		if k.Resources.Limits.Memory().IsZero() || k.Resources.Requests.Memory().IsZero() {
			bad("memory is without limit or request")
		}
		for _, m := range k.VolumeMounts {
			if !volumes[m.Name] {
				bad("mounts " + m.Name + ", which is no volume")
			}
		}
		for _, e := range k.Env {
			if e.Value != "" {
				bad("a value in the environment: " + e.Name)
			}
		}
	}
}
