using k8s.Models;

namespace MedMerge.Infra.Tests;

/// <summary>What manifests name is there: pods, ports, secrets, accounts, volumes.</summary>
public sealed class ReferenceTests
{
    public static TheoryData<string> Workloads => [.. Workload.All.Select(workload => workload.Name)];

    [Fact]
    public void Workloads_select_their_own_pods_and_no_others()
    {
        foreach (var workload in Workload.All) Assert.Equal([workload], Workload.All.Where(other => other.IsIn(workload.Selector)));
    }

    [Fact]
    public void Services_lead_to_ports_of_pods()
    {
        foreach (var service in Manifest.Of<V1Service>())
        {
            var selector = new V1LabelSelector { MatchLabels = service.Spec.Selector };
            var workload = Assert.Single(Workload.All, workload => workload.IsIn(selector));
            Assert.All(service.Spec.Ports, port => Assert.NotNull(workload.Port(port.TargetPort)));
        }
    }

    [Fact]
    public void Disruption_budgets_are_for_one_workload_and_let_drains_go_on()
    {
        foreach (var budget in Manifest.Of<V1PodDisruptionBudget>())
        {
            var workload = Assert.Single(Workload.All, workload => workload.IsIn(budget.Spec.Selector));
            var letsOneGo = budget.Spec.MaxUnavailable?.ToInt() >= 1 || budget.Spec.MinAvailable?.ToInt() < workload.Replicas;
            Assert.True(letsOneGo, budget.Metadata.Name);
        }
        Assert.Equal(Workload.Ours.Select(workload => workload.Name).Order(StringComparer.Ordinal),
            Manifest.Of<V1PodDisruptionBudget>().Select(budget => budget.Metadata.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void What_pods_name_is_there(string name)
    {
        var workload = Workload.All.Single(workload => workload.Name == name);
        var (pod, container) = (workload.Template.Spec, workload.Container);
        Assert.Contains(Manifest.Of<V1ServiceAccount>(), account => account.Metadata.Name == pod.ServiceAccountName);
        foreach (var key in (container.Env ?? []).Select(variable => variable.ValueFrom?.SecretKeyRef).OfType<V1SecretKeySelector>())
            Assert.Contains(key.Key, Manifest.Of<V1Secret>().Single(secret => secret.Metadata.Name == key.Name).StringData.Keys);
        Assert.NotNull(workload.Variables); // finds every map and secret of envFrom

        var volumes = (pod.Volumes ?? []).Select(volume => volume.Name).Order(StringComparer.Ordinal);
        Assert.Equal(volumes, (container.VolumeMounts ?? []).Select(mount => mount.Name).Order(StringComparer.Ordinal));
        var secrets = Manifest.Of<V1Secret>().Select(secret => secret.Metadata.Name);
        var mounted = (pod.Volumes ?? []).Select(volume => volume.Secret?.SecretName).OfType<string>();
        Assert.All(mounted, secret => Assert.Contains(secret, secrets));
        var maps = Kustomization.Read("infra/telemetry").ConfigMapGenerator.Select(map => map.Name);
        Assert.All((pod.Volumes ?? []).Select(volume => volume.ConfigMap?.Name).OfType<string>(), map => Assert.Contains(map, maps));
        foreach (var probe in new[] { container.StartupProbe, container.LivenessProbe, container.ReadinessProbe })
        {
            if ((probe?.HttpGet?.Port ?? probe?.TcpSocket?.Port) is { } port) Assert.NotNull(workload.Port(port));
        }
        Assert.NotNull(container.LivenessProbe);
        Assert.NotNull(container.ReadinessProbe);
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void Pods_can_do_little(string name)
    {
        var workload = Workload.All.Single(workload => workload.Name == name);
        var (pod, container) = (workload.Template.Spec, workload.Container);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.NotEqual(0, pod.SecurityContext.RunAsUser ?? 0);
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        Assert.Contains("memory", container.Resources.Limits.Keys);
        Assert.Contains("cpu", container.Resources.Requests.Keys);
        Assert.DoesNotContain("cpu", container.Resources.Limits.Keys); // a throttled node stands still, and is evicted
        Assert.All(Manifest.Of<V1ServiceAccount>(), account => Assert.False(account.AutomountServiceAccountToken));
    }

    [Fact]
    public void Secrets_hold_placeholders_and_nothing_else()
    {
        Assert.All(Manifest.Of<V1Secret>(), secret =>
        {
            Assert.Null(secret.Data);
            Assert.All(secret.StringData.Values, value => Assert.EndsWith("REPLACE", value, StringComparison.Ordinal));
        });
        var files = Manifest.All.Where(manifest => manifest.Object is V1Secret).Select(secret => secret.File);
        Assert.All(files, file => Assert.Equal(Manifest.SecretTemplate, file));
    }
}
