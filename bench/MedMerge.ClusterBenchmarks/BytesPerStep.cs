using System.Globalization;
using System.Text;
using MedMerge.Grains;
using MedMerge.Models;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// What a step of weight learning sends, beside what data-parallel training of the whole network would.
/// </summary>
internal static class BytesPerStep
{
    private const int Shards = 4, Classes = 2;

    /// <summary>
    /// As Markdown. Per shard: α and head there, their gradients back, in float64; or all parameters' gradients there
    /// and back, in float32.
    /// </summary>
    public static string Table()
    {
        var text = new StringBuilder($"""
            Bytes a step with {Shards} shards and {Classes} classes, payloads of the messages

            | network | sources | weight learning | whole network, data-parallel | ratio |
            | --- | ---: | ---: | ---: | ---: |

            """);
        foreach (var name in new[] { "resnet20", "resnet18-3x3" })
        {
            var network = Architectures.Create(name);
            var head = (network.Features * Classes) + Classes;
            var parameters =
                network.Layers.Sum(layer => layer.Shape.Aggregate(1L, (product, size) => product * size) + (2 * layer.Out)) + head;
            foreach (var sources in new[] { 2, 4, 8 })
            {
                var message = ((sources * network.Filters) + head) * sizeof(double);
                var (ours, whole) = (2L * Shards * message, 2L * Shards * parameters * sizeof(float));
                var ratio = (double)whole / ours;
                text.Append(CultureInfo.InvariantCulture, $"| {name} | {sources} | {ours:N0} | {whole:N0} | 1 : {ratio:0} |\n");
            }
        }
        return text.ToString();
    }
}
