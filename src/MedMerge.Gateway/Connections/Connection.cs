namespace MedMerge.Gateway.Connections;

/// <summary>
/// Something outside the process that is opened behind the scenes, and tried again until it opens: the gateway lives without it, and says what is
/// missing.
/// </summary>
/// <param name="what">As messages call it.</param>
internal abstract partial class Connection<T>(string what, TimeProvider time, ILogger logger) : BackgroundService where T : class
{
    private const int MaxReason = 250;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);
    private volatile T? _opened;
    private volatile string _problem = "it is being opened.";

    /// <summary>What was opened.</summary>
    /// <exception cref="UnavailableException">It is not open; the message says why.</exception>
    public T Opened => _opened ?? throw new UnavailableException($"{what} can't be reached: {_problem}");

    /// <summary>Opens it.</summary>
    protected abstract Task<T> OpenAsync(CancellationToken cancellation);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (_opened is null)
        {
            try
            {
                _opened = await OpenAsync(stoppingToken).ConfigureAwait(false);
                LogOpened(what);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                _problem = Short(error.Message);
                LogFailed(what, _problem, RetryDelay);
                await Task.Delay(RetryDelay, time, stoppingToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The beginning says what is wrong; a Redis client's goes on with a page of counters.</summary>
    private static string Short(string message) => message.Length <= MaxReason ? message : message[..MaxReason] + "…";

    [LoggerMessage(LogLevel.Information, "{What} is connected.")]
    private partial void LogOpened(string what);

    [LoggerMessage(LogLevel.Warning, "{What} can't be reached: {Reason} It is tried again in {Pause}.")]
    private partial void LogFailed(string what, string reason, TimeSpan pause);
}
