using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MedMerge.Testing;

/// <summary>A line of a log.</summary>
internal sealed record LogLine(string Category, LogLevel Level, string Message, Exception? Error);

/// <summary>Keeps every line of every logger.</summary>
internal sealed class RecordingLogger : ILoggerProvider
{
    public ConcurrentQueue<LogLine> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Lines);

    public ILogger<T> CreateLogger<T>() =>
        LoggerFactory.Create(logging => logging.AddProvider(this).SetMinimumLevel(LogLevel.Trace)).CreateLogger<T>();

    public void Dispose()
    {
    }

    private sealed class Logger(string category, ConcurrentQueue<LogLine> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            lines.Enqueue(new LogLine(category, logLevel, formatter(state, exception), exception));
    }
}
