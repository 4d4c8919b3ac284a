namespace MedMerge.Gateway.Connections;

/// <summary>
/// Something outside the process that is opened in the background, and tried again until it opens: the gateway runs without it
/// and says what is missing.
/// </summary>
/// <param name="what">As messages call it.</param>
internal abstract partial class Connection<T>(string what, TimeProvider time, ILogger logger) : BackgroundService where T : class
{
    private const int MaxReason = 250;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);
    private volatile T? _opened;
    private readonly TaskCompletionSource<T> _whenOpened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string _problem = "it is being opened.";

    /// <summary>What was opened.</summary>
    /// <exception cref="UnavailableException">It is not open; the message says why.</exception>
    public T Opened => _opened ?? throw new UnavailableException($"{what} can't be reached: {_problem}");

    /// <summary>Completes once it is open.</summary>
    public Task<T> WhenOpened => _whenOpened.Task;

    /// <summary>The clock.</summary>
    protected TimeProvider Time => time;

    /// <summary>Opens it.</summary>
    protected abstract Task<T> OpenAsync(CancellationToken cancellation);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (_opened is null)
        {
            try
            {
                var opened = await OpenAsync(stoppingToken).ConfigureAwait(false);
                _opened = opened;
                _whenOpened.TrySetResult(opened);
                LogOpened(what);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                var problem = Summarise(error);
                LogFailed(problem == _problem ? null : error, what, problem, RetryDelay); // its stack once, not every few seconds
                _problem = problem;
                await Task.Delay(RetryDelay, time, stoppingToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The beginning says what is wrong; Azure's clients add a page of headers.</summary>
    private static string Summarise(Exception error)
    {
        var message = (error is AggregateException all ? all.InnerExceptions[0] : error).Message;
        return message.Length <= MaxReason ? message : message[..MaxReason] + "…";
    }

    [LoggerMessage(LogLevel.Information, "{What} is connected.")]
    private partial void LogOpened(string what);

    [LoggerMessage(LogLevel.Warning, "{What} can't be reached: {Reason} Next attempt in {Delay}.")]
    private partial void LogFailed(Exception? error, string what, string reason, TimeSpan delay);
}
