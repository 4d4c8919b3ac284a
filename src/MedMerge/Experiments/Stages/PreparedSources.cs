using MedMerge.Merging;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>The prepared sources of a stage, disposed together.</summary>
internal sealed class PreparedSources : List<PreparedSource>, IDisposable
{
    public PreparedSources(IEnumerable<StageOutput> outputs)
    {
        foreach (var output in outputs)
        {
            var layers = StageFiles.ReadTensors(output, StageFiles.Prepared);
            Add(new PreparedSource("", layers));
        }
    }

    public void Dispose() => ForEach(source => source.Dispose());
}
