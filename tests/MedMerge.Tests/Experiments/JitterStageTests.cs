using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Experiments;

/// <summary>The partner of the jittered control.</summary>
public class JitterStageTests
{
    [Fact]
    public void Every_filter_is_as_far_from_the_anchor_as_the_partners_in_a_direction_of_its_own()
    {
        var architecture = Architectures.Create("resnet20", 0.25);
        var sources = RandomModels.Prepared(architecture, 2);

        using var jittered = Jitter(seed: 1);
        using var again = Jitter(seed: 1);
        using var other = Jitter(seed: 2);

        foreach (var layer in architecture.Layers)
        {
            using var scope = NewDisposeScope();
            var kernel = jittered.Kernel(layer);
            var expected = Distance(sources[1].Kernel(layer), sources[0].Kernel(layer));
            Assert.True(allclose(Distance(kernel, sources[0].Kernel(layer)), expected, rtol: 1e-4), layer.Name);
            Assert.Equal(kernel.bytes.ToArray(), again.Kernel(layer).bytes.ToArray());
            Assert.False(allclose(kernel, other.Kernel(layer)), layer.Name);
            Assert.False(allclose(kernel, sources[1].Kernel(layer)), layer.Name);
            var shift = (jittered.Bias(layer) - sources[0].Bias(layer)).abs();
            Assert.True(allclose(shift, (sources[1].Bias(layer) - sources[0].Bias(layer)).abs(), rtol: 1e-3, atol: 1e-6), layer.Name);
        }

        PreparedSource Jitter(ulong seed) => new("", JitterStage.Jitter(architecture, sources[0], sources[1], seed, index: 0));
    }

    private static Tensor Distance(Tensor a, Tensor b) => (a - b).view(a.shape[0], -1).to(ScalarType.Float64).norm(1);
}
