using MedMerge.Merging;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>The prepared sources of a stage, disposed together.</summary>
internal sealed class PreparedSources : List<PreparedSource>, IDisposable
{
    /// <summary>Takes them over.</summary>
    public PreparedSources(IEnumerable<PreparedSource> sources)
        : base(sources)
    {
    }

    /// <summary>Reads them.</summary>
    public PreparedSources(IEnumerable<StageOutput> outputs)
    {
        foreach (var output in outputs)
        {
            var layers = StageFiles.ReadTensors(output, StageFiles.Prepared);
            Add(new PreparedSource("", layers));
        }
    }

    /// <summary>The output of a stage that gives a prepared source.</summary>
    /// <param name="layers">Its kernels and biases.</param>
    public static StageOutput Write(StateDict layers, SourceInfo source) => new(new Dictionary<string, byte[]>
    {
        [StageFiles.Prepared] = Safetensors.Write(layers),
        [StageFiles.Source] = StageFiles.Write(source),
    });

    public void Dispose() => ForEach(source => source.Dispose());
}
