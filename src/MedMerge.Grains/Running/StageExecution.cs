using System.Diagnostics;
using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>One execution of a stage on this node: what was requested, and how far it is.</summary>
/// <param name="node">This silo, as messages name it.</param>
internal sealed class StageExecution(string key, StageRequest request, string node)
{
    private volatile StageProgress? _progress;
    private volatile Func<IReadOnlyList<string>> _shardNodes = () => [];

    /// <summary>The stage's key.</summary>
    public string Key => key;

    /// <summary>What was requested.</summary>
    public StageRequest Request => request;

    /// <summary>All silos that run the stage; none while it waits for its turn.</summary>
    public IReadOnlyList<string> Nodes => _progress is null ? [] : [node, .. _shardNodes()];

    /// <summary>Its epochs so far; null before it began.</summary>
    public StageProgress? Progress => _progress;

    /// <summary>How long the computation took; null until it has ended, and where that is not known.</summary>
    public StageTiming? Timing { get; set; }

    /// <summary>How many nodes had its shards at the end; 1 before.</summary>
    public int ShardNodes { get; private set; } = 1;

    /// <summary>The stage's span, parent of all that belongs to it.</summary>
    public ActivityContext Span { get; set; }

    /// <summary>Begins.</summary>
    public void Start(Stage stage) => _progress = new StageProgress(stage.Name, null, 0, null, null, node, key);

    /// <summary>An epoch has ended.</summary>
    /// <param name="epochs">How many there will be.</param>
    public void OnEpoch(EpochRecord epoch, int epochs) => _progress = _progress! with
    {
        Epoch = epoch.Epoch,
        Epochs = epochs,
        Loss = double.IsNaN(epoch.Loss) ? null : epoch.Loss,
        MacroF1 = epoch.Validation.MacroF1,
    };

    /// <summary>Runs shards, until what is returned is disposed.</summary>
    /// <param name="nodes">The silos that they are on.</param>
    public IDisposable WithShards(Func<IReadOnlyList<string>> nodes)
    {
        _shardNodes = nodes;
        return new Shards(this);
    }

    private sealed class Shards(StageExecution execution) : IDisposable
    {
        public void Dispose()
        {
            execution.ShardNodes = Math.Max(1, execution._shardNodes().Distinct().Count());
            execution._shardNodes = () => [];
        }
    }
}
