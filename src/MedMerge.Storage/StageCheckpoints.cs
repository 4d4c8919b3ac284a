using System.Diagnostics;
using System.Text;
using MedMerge.Telemetry;
using MedMerge.Training;
using Microsoft.Extensions.Logging;

namespace MedMerge.Storage;

/// <summary>
/// The intermediate states of a running stage. Only the last two are kept. Of two processes that run the same stage,
/// the one that loses the race for the pointer stops.
/// </summary>
/// <param name="stage">The stage's key.</param>
public sealed partial class StageCheckpoints(IObjectStore objects, string stage, ILogger logger) : ICheckpoints
{
    private const string StateFile = "state";
    private const int Kept = 2;
    private readonly CheckpointStore _store = new(objects, stage);

    /// <summary>
    /// Prefix of every state: no other stage's artefacts have the same content, so old ones can be removed at once.
    /// </summary>
    private readonly byte[] _mark = Encoding.ASCII.GetBytes(stage);
    private Checkpoint? _last;

    /// <inheritdoc />
    public async Task<byte[]?> LoadAsync(CancellationToken cancellation)
    {
        try
        {
            _last = await _store.LoadAsync(cancellation).ConfigureAwait(false);
        }
        catch (InvalidDataException error)
        {
            LogStartingOver(error, stage);
            await _store.TryDeleteDamagedAsync(cancellation).ConfigureAwait(false);
        }
        return _last?.Files[StateFile][_mark.Length..];
    }

    /// <inheritdoc />
    public async Task SaveAsync(byte[] state, CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        var files = new Dictionary<string, byte[]> { [StateFile] = [.. _mark, .. state] };
        var committed = await _store.CommitAsync(_last, files, cancellation).ConfigureAwait(false);
        _last = committed
            ?? throw new ConcurrentWriterException($"Another process runs stage {stage}; this one stops and has committed nothing.");
        Instruments.CheckpointDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds);
        Instruments.CheckpointSize.Record(_mark.Length + state.Length);
        await _store.PruneAsync(Kept, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public async Task ClearAsync(CancellationToken cancellation)
    {
        if (_last is not { } last) return; // there were none, or they are another process's
        _last = null;
        await _store.TryDeleteAsync(last.Fence, cancellation).ConfigureAwait(false);
    }

    [LoggerMessage(LogLevel.Warning, "Stage {Stage} is computed from its start: all its checkpoints are damaged.")]
    private partial void LogStartingOver(Exception error, string stage);
}
